/** @file For tests: small disks of their own, where this process may mount them (Linux, with the rights). */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A disk in memory. */
export interface SmallDisk {
  /** Mounts it anew with other options, such as `ro`. */
  remount(options: string): void;
  unmount(): void;
}

const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: 'ignore' });

/** Mounts a disk at a folder, which is made. @param options of tmpfs, such as `size=16k` @returns undefined where that is not allowed */
export function mountDisk(folder: string, options: string): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  try {
    run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder);
  } catch {
    return undefined;
  }
  return {
    remount: more => run('mount', '-o', `remount,${more}`, folder),
    unmount: () => run('umount', folder),
  };
}
