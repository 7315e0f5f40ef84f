/** @file Runs a plan: what the store lacks goes through the pool into the store, with one progress bar and an estimate of the time. */

import type { Progress, ProgressOptions } from '../node/progress.ts';
import { formatDuration } from '../system/format.ts';
import type { Finished, Pace, Pool, Task } from './cell.ts';
import { estimateLine } from './estimate.ts';
import { Times } from './times.ts';

/** Seconds after which a part of a first task is enough for an estimate. */
const PILOT = 5;
/** Seconds between two times that the store is given how long tasks take. */
const KEEP = 30;

/** Where finished cells go; `CellStore` is one. */
export interface Store<R> {
  has(key: string): boolean;
  put(key: string, outcome: Finished<R>['outcome']): Promise<void>;
  /** How long tasks of a kind took in the last run, where the store remembers it. */
  pace?(kind: string): Pace | undefined;
  keepPace?(kind: string, pace: Pace): Promise<void>;
}

/** How a run is watched and ended. */
export interface RunHooks<R, I = unknown> {
  readonly signal?: AbortSignal;
  /** Makes the progress bar. */
  readonly progress?: (options: ProgressOptions) => Progress;
  /** What is going on, such as `Attributing`. */
  readonly label: string;
  /** Unit of the bar in the plural, such as `pairs`. */
  readonly unit: string;
  /** Units that need nothing (done before, or impossible), besides those of finished tasks. */
  readonly start?: number;
  /** A few words at the bar's end. */
  readonly note?: () => string | undefined;
  /** Units done, with parts of those in hand. */
  readonly onProgress?: (units: number) => void;
  readonly onCell?: (finished: Finished<R>) => void;
  /** Lines for a person: the estimate. */
  readonly onInfo?: (message: string) => void;
  readonly onWarning?: (message: string) => void;
  /** Whether a task is run; by default when a cell of it is not in the store. */
  readonly isOpen?: (task: Task<I>) => boolean;
}

/**
 * Runs the tasks of a plan that lack cells. What is finished stands in the store, whatever happens then.
 * @throws what a worker or the store throws, the signal's reason when aborted
 */
export async function runPlan<I, R>(plan: readonly Task<I>[], store: Store<R>, pool: Pool<I, R>, hooks: RunHooks<R, I>): Promise<void> {
  const { signal, label, unit } = hooks;
  const isOpen = hooks.isOpen ?? (({ keys }) => keys.some(key => !store.has(key)));
  const open = plan.filter(isOpen);
  const unitsOf = (task: Task<I>): number => task.units ?? 1;
  const sum = (tasks: readonly Task<I>[]): number => tasks.reduce((all, task) => all + unitsOf(task), 0);
  const total = sum(plan) + (hooks.start ?? 0);
  const before = total - sum(open);
  if (open.length === 0) return;
  signal?.throwIfAborted();
  const bar = hooks.progress?.({ label, total, unit, start: before });
  const times = new Times(open, unitsOf, unit);
  const say = (source: string, paceOf: (kind: string) => Pace | undefined): boolean => {
    const line = estimateLine({ label, unit, total, source, width: Math.min(pool.width, open.length) }, times.remaining(paceOf));
    if (line) hooks.onInfo?.(line);
    return line !== undefined;
  };
  let known = times.kinds.filter(kind => store.pace?.(kind)).length;
  if (known > 0) say('an earlier run', kind => store.pace?.(kind));
  const parts = new Map<Task<I>, number>();
  let done = before;
  const show = (): void => {
    const units = done + [...parts].reduce((all, [task, share]) => all + share * unitsOf(task), 0);
    // Once per kind of tasks: by the first of them, or by what was done of it where it takes long.
    const timed = times.kinds.filter(kind => times.pace(kind, PILOT)).length;
    if (timed > known) {
      known = timed;
      say(`the first ${formatDuration(times.seconds)}`, kind => times.pace(kind, PILOT) ?? store.pace?.(kind));
    }
    bar?.update(units, hooks.note?.());
    hooks.onProgress?.(units);
  };
  const finish = (task: Task<I>): void => {
    if (!parts.delete(task)) return;
    times.end(task);
    done += unitsOf(task);
    show();
  };
  let kept = performance.now();
  const keep = async (): Promise<void> => {
    kept = performance.now();
    for (const kind of times.kinds) {
      const pace = times.finished(kind);
      if (pace) await store.keepPace?.(kind, pace);
    }
  };
  try {
    await pool.run(
      open,
      task => {
        parts.set(task, 0);
        times.begin(task);
        return {
          signal,
          async onCell(key, outcome) {
            await store.put(key, outcome);
            if (performance.now() - kept > KEEP * 1000) await keep();
            hooks.onCell?.({ key, outcome });
          },
          onProgress(share) {
            if (share >= 1) return finish(task);
            if (parts.has(task)) parts.set(task, share);
            times.part(task, share);
            show();
          },
          onWarning: message => hooks.onWarning?.(message),
        };
      },
      signal,
    );
    for (const task of open) finish(task);
    bar?.done();
  } catch (error) {
    bar?.fail();
    throw error;
  } finally {
    await keep();
  }
}
