/** @file Worker threads that start from TypeScript sources (tests, tsx) and from the built package alike. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** A compiled module that may start in the place of a source (both as addresses), or undefined. */
export type CompiledSource = (source: URL) => URL | undefined;

let compiledSource: CompiledSource = () => undefined;

/** Tells where sources stand compiled. Tests do: tsx reads and compiles in every thread anew, which takes seconds. */
export function setCompiledSource(find: CompiledSource): void {
  compiledSource = find;
}

/**
 * Starts the module `name` (without extension) that stands next to the caller.
 * @param base the caller's `import.meta.url`
 */
export function spawnWorker(name: string, base: string, options: WorkerOptions = {}): Worker {
  const source = base.endsWith('.ts');
  const url = new URL(`${name}${source ? '.ts' : '.js'}`, base);
  const built = source ? compiledSource(url) : url;
  if (built) return new Worker(built, options);
  // Node 20 does not hand `--import tsx` on to workers: register the loader inside.
  const loader = new URL('dist/esm/api/index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;
  const start = `import(${JSON.stringify(loader)}).then(tsx => { tsx.register(); return import(${JSON.stringify(url.href)}); })`;
  return new Worker(start, { ...options, eval: true });
}

export { parentPort, Worker, workerData } from 'node:worker_threads';
