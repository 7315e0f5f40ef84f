/** @file Whether a process that left its number somewhere still lives: numbers are given out again, and the dead may wait for their parents. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as another one can look for it. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it began, in the kernel's ticks; only where /proc says so. */
  readonly birth?: string;
}

/** State and start of a process by /proc; undefined where there is none, or no such process. */
function procStat(pid: number): { readonly state: string; readonly birth: string } | undefined {
  try {
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return { state: fields[0], birth: fields[19] };
  } catch {
    return undefined;
  }
}

/** This process. */
export const thisProcess = (): ProcessIdentity => ({ host: hostname(), pid: process.pid, birth: procStat(process.pid)?.birth });

/** Whether a process of this machine lives: there is one of that number, it has not ended, and it began when the other one did. */
export function isAlive({ pid, birth }: Pick<ProcessIdentity, 'pid' | 'birth'>): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = procStat(pid);
  if (!now) return true;
  return now.state !== 'Z' && now.state !== 'X' && (birth === undefined || birth === now.birth);
}
