/** @file Chat templates are programs that come with a checkpoint: they run in a worker, within limits of time, memory and length. */
import { LimitedWorker } from '../../../node/limits.ts';
import { LimitError } from '../../../system/time-limit.ts';
import type { RenderJinja } from './jinja-engine.ts';
import { setJinjaCompiler } from './jinja-runner.ts';
import type { JinjaRequest } from './jinja-worker.ts';

/** Seconds and megabytes that a template may take for a conversation. */
export const TEMPLATE_LIMITS = { seconds: 5, megabytes: 256 } as const;

/** A compiler of templates whose parsing and rendering end at limits; they share a worker. */
function sandbox(limits: { readonly seconds: number; readonly megabytes: number }): (source: string) => RenderJinja {
  let worker: LimitedWorker | undefined;
  return source => {
    worker ??= new LimitedWorker('jinja-worker', import.meta.url, limits);
    const started = worker;
    // A template that hung once is not tried again: callers render in several ways until one works.
    let hung: LimitError | undefined;
    const call = (request: JinjaRequest): unknown => {
      if (hung) throw hung;
      try {
        return started.call(request);
      } catch (error) {
        if (error instanceof LimitError) hung = error;
        throw error;
      }
    };
    call({ source });
    return variables => call({ source, variables }) as string;
  };
}

/**
 * As `compileJinja`, but parsing and rendering end after `TEMPLATE_LIMITS`.
 * @throws Error where the template is not Jinja, or LimitError where parsing does not end
 */
export const sandboxedJinja: (source: string) => RenderJinja = sandbox(TEMPLATE_LIMITS);

/**
 * From now on every template of this process runs in the sandbox. Called by the modules that open checkpoints on Node.
 * @param limits other ones than `TEMPLATE_LIMITS`
 */
export const sandboxTemplates = (limits?: { readonly seconds: number; readonly megabytes: number }): void =>
  setJinjaCompiler(limits ? sandbox(limits) : sandboxedJinja);
