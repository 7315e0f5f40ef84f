/** @file Limits of work and memory, by /proc. Work counts, not the clock: on a busy machine an honest call waits for its turn. */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';

/** What a call may use. */
export interface Limits {
  /** Seconds of work. */
  readonly seconds: number;
  readonly megabytes: number;
}

/** Ticks of /proc in a second. */
const TICKS = 100;
/** By the clock a process may take so many times its seconds; one that does nothing for so many seconds waits for what never comes. */
const PATIENCE = 10;
const IDLE = 30;

/** A process and all that it started, the latest last. */
export function familyOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children ? children.split(' ').flatMap(one => familyOf(Number(one))) : [])];
  } catch {
    return [pid];
  }
}

/** The last process of a family that runs Node: behind a launcher a rank, else the process itself (the shell that guards weights is none). */
export function lastNodeOf(pid: number): number {
  const isNode = (one: number): boolean => {
    try {
      return readlinkSync(`/proc/${one}/exe`) === realpathSync(process.execPath);
    } catch {
      return false;
    }
  };
  return familyOf(pid).findLast(isNode) ?? pid;
}

/** Seconds that a process and all that it started have worked; undefined where it is gone, or nobody knows. */
export function workOfFamily(pid: number): number | undefined {
  const works = familyOf(pid).map(workOf);
  return works[0] === undefined ? undefined : works.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}

/** Seconds that a process has worked; undefined where it is gone, or nobody knows. */
export function workOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return undefined;
  }
}

/** Resident megabytes of a process; 0 where nobody knows. */
export function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Looks at a process until it is stopped, and says once which limit it passed. */
export class Watch {
  private readonly timer: NodeJS.Timeout;
  private readonly began = performance.now();

  constructor(pid: number, limits: Limits, passed: (limit: 'hang' | 'memory', detail: string) => void) {
    const start = workOf(pid) ?? 0;
    let last = start;
    let quiet = performance.now();
    this.timer = setInterval(() => {
      const megabytes = memoryOf(pid);
      const now = workOf(pid) ?? last;
      const clock = (performance.now() - this.began) / 1000;
      if (now - last > 0.02) [last, quiet] = [now, performance.now()];
      const idle = (performance.now() - quiet) / 1000;
      if (megabytes > limits.megabytes) passed('memory', `${Math.round(megabytes)} MB`);
      else if (now - start > limits.seconds) passed('hang', `${Math.round(now - start)} s of work`);
      else if (idle > IDLE) passed('hang', `idle for ${Math.round(idle)} s`);
      else if (clock > PATIENCE * limits.seconds) passed('hang', `${Math.round(clock)} s by the clock`);
    }, 100);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
