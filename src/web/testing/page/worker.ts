/** @file The worker that tests drive. */
import { type Jobs, jobs } from './jobs.ts';

globalThis.onmessage = async ({ data: { id, job, argument } }: MessageEvent<{ id: number; job: keyof Jobs; argument: unknown }>) => {
  try {
    postMessage({ id, value: await (jobs[job] as (argument: unknown) => Promise<unknown>)(argument) });
  } catch (error) {
    postMessage({ id, error: `${(error as Error).name}: ${(error as Error).message}` });
  }
};
