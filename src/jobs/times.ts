/** @file How long the tasks of a run take, by their kind. */
import type { Pace, Task } from './cell.ts';
import type { Remaining } from './estimate.ts';

interface Running {
  readonly since: number;
  share: number;
}

/** Takes the time of tasks. */
export class Times<I> {
  private readonly began = performance.now();
  private readonly running = new Map<Task<I>, Running>();
  private readonly sums = new Map<string, { units: number; seconds: number }>();
  private readonly left = new Map<string, number>();

  /** @param unitsOf a task @param unit names the kind of tasks that name none */
  constructor(
    open: readonly Task<I>[],
    private readonly unitsOf: (task: Task<I>) => number,
    private readonly unit: string,
  ) {
    for (const task of open) this.left.set(this.kindOf(task), (this.left.get(this.kindOf(task)) ?? 0) + unitsOf(task));
  }

  private kindOf(task: Task<I>): string {
    return task.kind ?? this.unit;
  }

  /** Kinds that the run has. */
  get kinds(): string[] {
    return [...this.left.keys()];
  }

  /** Seconds since the run began. */
  get seconds(): number {
    return (performance.now() - this.began) / 1000;
  }

  begin(task: Task<I>): void {
    this.running.set(task, { since: performance.now(), share: 0 });
  }

  /** @param share of the task that is done */
  part(task: Task<I>, share: number): void {
    const running = this.running.get(task);
    if (running) running.share = share;
  }

  end(task: Task<I>): void {
    const running = this.running.get(task);
    if (!running) return;
    this.running.delete(task);
    const kind = this.kindOf(task);
    const sum = this.sums.get(kind) ?? { units: 0, seconds: 0 };
    sum.units += this.unitsOf(task);
    sum.seconds += (performance.now() - running.since) / 1000;
    this.sums.set(kind, sum);
    this.left.set(kind, this.left.get(kind)! - this.unitsOf(task));
  }

  /** Of the finished tasks of a kind. */
  finished(kind: string): Pace | undefined {
    return this.sums.get(kind);
  }

  /** Of the finished tasks of a kind; where there is none, of one that has run for `pilot` seconds. */
  pace(kind: string, pilot: number): Pace | undefined {
    const finished = this.sums.get(kind);
    if (finished) return finished;
    for (const [task, { since, share }] of this.running) {
      const seconds = (performance.now() - since) / 1000;
      if (this.kindOf(task) === kind && share > 0 && seconds >= pilot) return { units: share * this.unitsOf(task), seconds };
    }
    return undefined;
  }

  /** What is left of each kind, with parts of the tasks in hand taken off. */
  remaining(paceOf: (kind: string) => Pace | undefined): Remaining[] {
    const parts = new Map<string, number>();
    for (const [task, { share }] of this.running) {
      const kind = this.kindOf(task);
      parts.set(kind, (parts.get(kind) ?? 0) + share * this.unitsOf(task));
    }
    return this.kinds.map(kind => ({ kind, units: this.left.get(kind)! - (parts.get(kind) ?? 0), pace: paceOf(kind) }));
  }
}
