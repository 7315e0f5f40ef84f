/** @file Runs a plan: what the store lacks goes through the pool into the store, with one progress bar and an estimate of the time. */

import type { Progress, ProgressOptions } from '../node/progress.ts';
import { formatDuration } from '../system/format.ts';
import type { Finished, Pool, Task } from './cell.ts';

/** Seconds after which an estimate is made of a part of the first task. */
const PILOT = 10;
/** Seconds below which an estimate is not worth a line. */
const SHORT = 20;

/** Where finished cells go; `CellStore` is one. */
export interface Store<R> {
  has(key: string): boolean;
  put(key: string, outcome: Finished<R>['outcome']): Promise<void>;
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
  const parts = new Map<Task<I>, number>();
  let done = before;
  const show = (): void => {
    const units = done + [...parts].reduce((all, [task, share]) => all + share * unitsOf(task), 0);
    estimate(units);
    bar?.update(units, hooks.note?.());
    hooks.onProgress?.(units);
  };
  const started = performance.now();
  let estimated = false;
  /** Once: by the first finished task, or by what was done of it where it takes long itself. */
  const estimate = (units: number): void => {
    const seconds = (performance.now() - started) / 1000;
    if (estimated || units <= before || (done === before && seconds < PILOT)) return;
    estimated = true;
    const left = (seconds / (units - before)) * (total - units);
    if (left >= SHORT)
      hooks.onInfo?.(`${label} what is left will take about ${formatDuration(left)}, by the first ${formatDuration(seconds)}.`);
  };
  const finish = (task: Task<I>): void => {
    if (!parts.delete(task)) return;
    done += unitsOf(task);
    show();
  };
  try {
    await pool.run(
      open,
      task => {
        parts.set(task, 0);
        return {
          signal,
          async onCell(key, outcome) {
            await store.put(key, outcome);
            hooks.onCell?.({ key, outcome });
          },
          onProgress(share) {
            if (share >= 1) return finish(task);
            if (parts.has(task)) parts.set(task, share);
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
  }
}
