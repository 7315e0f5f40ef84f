/** @file Kills this process with SIGKILL, or fills its disk, at a chosen point of a run: for tests, in a process of their own. */
import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * To be called before the modules that write are imported. `step N`: killed after that step; `before PATTERN`: killed before the first
 * change of the file system, written as `rename PATH`, that the pattern matches; `full PATTERN`: such a change fails, the disk is full.
 * @returns to be called after each step
 */
export function crashAt(kind: string | undefined, point: string | undefined): (step: number) => void {
  const die = (): unknown => process.kill(process.pid, 'SIGKILL');
  const functions = promises as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const name of ['open', 'rename', 'rm', 'mkdir']) {
    const original = functions[name];
    functions[name] = (...given) => {
      const hit = (kind === 'before' || kind === 'full') && new RegExp(point!).test(`${name} ${given[0]}`);
      if (hit && kind === 'before') die();
      if (hit && kind === 'full') return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
      return original(...given);
    };
  }
  syncBuiltinESMExports();
  return step => {
    if (kind === 'step' && step === Number(point)) die();
  };
}
