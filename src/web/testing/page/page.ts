/** @file The page that tests drive: jobs in a worker, or in the page itself. */
import type { Jobs } from './jobs.ts';

declare global {
  interface Window {
    ask(place: 'page' | 'worker' | 'studio', job: string, argument: unknown): Promise<unknown>;
  }
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: unknown; error?: string }>) => {
  const { resolve, reject } = waiting.get(data.id)!;
  waiting.delete(data.id);
  if (data.error === undefined) resolve(data.value);
  else reject(new Error(data.error));
};
let last = 0;
window.ask = async (place, job, argument) => {
  if (place === 'page') {
    const { jobs } = await import('./jobs.ts');
    return (jobs[job as keyof Jobs] as (argument: unknown) => Promise<unknown>)(argument);
  }
  if (place === 'studio') {
    const studio = (await import('./studio.ts')) as unknown as Record<string, (argument: unknown) => Promise<unknown>>;
    return studio[job](argument);
  }
  const id = ++last;
  worker.postMessage({ id, job, argument });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
};
document.title = 'ready';
