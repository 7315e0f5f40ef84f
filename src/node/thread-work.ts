/** @file How long a thread has worked: not by the clock, which goes on while other programs have the processors. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** The system's number of the thread that asks; 0 where it has none to give (other systems than Linux). */
export function threadId(): number {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return 0;
  }
}

/** Whether a thread of this process is there still; undefined where that cannot be known. */
export const threadLives = (thread: number): boolean | undefined => (thread > 0 ? existsSync(`/proc/self/task/${thread}`) : undefined);

/** Seconds of a processor that a thread has had; where only the process is counted (thread 0), those of all its threads. */
export function workedSeconds(thread: number): number {
  if (thread > 0)
    try {
      return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
    } catch {
      // The thread has ended, or this kernel keeps no such account.
    }
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
