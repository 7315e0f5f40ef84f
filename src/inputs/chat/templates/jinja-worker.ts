/** @file The worker in which chat templates run. */
import { type LimitedWorkerData, serve } from '../../../node/limits.ts';
import { workerData } from '../../../node/threads.ts';
import { compileJinja, type RenderJinja } from './jinja-engine.ts';

/** A template with its variables; without variables it is only parsed. */
export interface JinjaRequest {
  readonly source: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Longest text that a template may write, in characters. */
const LONGEST = 2 ** 24;
const compiled = new Map<string, RenderJinja>();

serve(workerData as LimitedWorkerData, message => {
  const { source, variables } = message as JinjaRequest;
  const render = compiled.get(source) ?? compileJinja(source);
  compiled.set(source, render);
  if (!variables) return undefined;
  const text = render(variables);
  if (text.length > LONGEST) throw new Error(`it writes ${text.length} characters, more than ${LONGEST}`);
  return text;
});
