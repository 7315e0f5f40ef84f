/** @file Chat templates are programs that come with a checkpoint: they run in a worker, within limits of time, memory and length. */
import { LimitedWorker } from '../../../node/limits.ts';
import { LimitError } from '../../../system/time-limit.ts';
import type { RenderJinja } from './jinja-engine.ts';
import { setJinjaCompiler } from './jinja-runner.ts';
import type { JinjaRequest } from './jinja-worker.ts';

/** Seconds and megabytes that a template may take for a conversation. */
export const TEMPLATE_LIMITS = { seconds: 5, megabytes: 256 } as const;

let worker: LimitedWorker | undefined;

/**
 * As `compileJinja`, but parsing and rendering end after `TEMPLATE_LIMITS`.
 * @throws Error where the template is not Jinja, or LimitError where parsing does not end
 */
export function sandboxedJinja(source: string): RenderJinja {
  worker ??= new LimitedWorker('jinja-worker', import.meta.url, TEMPLATE_LIMITS);
  // A template that hung once is not tried again: callers render in several ways until one works.
  let hung: LimitError | undefined;
  const call = (request: JinjaRequest): unknown => {
    if (hung) throw hung;
    try {
      return (worker as LimitedWorker).call(request);
    } catch (error) {
      if (error instanceof LimitError) hung = error;
      throw error;
    }
  };
  call({ source });
  return variables => call({ source, variables }) as string;
}

/** From now on every template of this process runs in the sandbox. Called by the modules that open checkpoints on Node. */
export const sandboxTemplates = (): void => setJinjaCompiler(sandboxedJinja);
