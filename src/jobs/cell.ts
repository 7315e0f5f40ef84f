/** @file What long work is made of: cells, each with a key of everything that determines its result, and tasks that compute cells together. */

/** What became of a cell: its result, or why it could not be computed. A failure is tried again by the next run; it is never a value. */
export type Outcome<R> = { readonly result: R } | { readonly failure: string };

/** A finished cell. */
export interface Finished<R> {
  readonly key: string;
  readonly outcome: Outcome<R>;
}

/** Cells that one worker computes in one go, since they share work. A plan is a list of tasks, made of settings and data only. */
export interface Task<I> {
  /** What the worker is given; it can be cloned into another thread. */
  readonly input: I;
  /** Keys of its cells. */
  readonly keys: readonly string[];
  /** Its size in the units of the progress bar (pairs, questions); 1 by default. */
  readonly units?: number;
  /** Tasks of one kind take alike long per unit; what stands here is for a person, such as `trainings`. One kind by default. */
  readonly kind?: string;
}

/** How long tasks of a kind took. */
export interface Pace {
  readonly units: number;
  /** Seconds of one worker. */
  readonly seconds: number;
}

/** Hooks of a worker while it computes a task. */
export interface TaskHooks<R> {
  readonly signal?: AbortSignal;
  /** A cell is finished. It is on the disk when the promise is fulfilled. */
  onCell(key: string, outcome: Outcome<R>): Promise<void>;
  /** Share of the task that is done, from 0 to 1. */
  onProgress(share: number): void;
  onWarning(message: string): void;
}

/** Something that runs tasks: this thread, worker threads, later other machines. */
export interface Pool<I, R> {
  /** Tasks at once. */
  readonly width: number;
  /**
   * Runs all tasks. @param hooksOf of a task
   * @throws what a task throws, after the others have ended; the signal's reason when aborted
   */
  run(tasks: readonly Task<I>[], hooksOf: (task: Task<I>) => TaskHooks<R>, signal?: AbortSignal): Promise<void>;
}

/** Computes a task. What it throws ends the run: a cell that cannot be computed is an outcome. */
export type Work<I, R> = (input: I, hooks: TaskHooks<R>) => Promise<void>;
