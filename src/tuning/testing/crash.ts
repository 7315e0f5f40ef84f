/** @file Kills this process with SIGKILL, or fills its disk, at a chosen point of a run: for tests, in a process of their own. */
import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * To be called before the modules that write are imported. `step N`: killed after that step; `before PATTERN`: killed before the first
 * change of the file system, written as `rename PATH`, that the pattern matches; `full PATTERN`: such a change fails, the disk is full;
 * `lines N`: killed when it has put N lines of an evaluation's batches on the disk; the first one says what the file holds.
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
  if (kind === 'lines') {
    const { open } = promises;
    let left = Number(point);
    functions.open = async (...given) => {
      const handle = await open(...(given as Parameters<typeof open>));
      if (!String(given[0]).endsWith('evaluation.jsonl')) return handle;
      const datasync = handle.datasync.bind(handle);
      handle.datasync = async () => {
        await datasync();
        if (--left === 0) die();
      };
      return handle;
    };
  }
  syncBuiltinESMExports();
  return step => {
    if (kind === 'step' && step === Number(point)) die();
  };
}
