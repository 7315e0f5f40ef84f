/** @file Who may send now: at most so many at once, in order of asking, and nobody while the server asks to wait. */
import { pause } from '../../checkpoints/hub/request.ts';

/** A queue for a limited number of senders. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];
  private quietUntil = 0;

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  /** Nobody begins before so many milliseconds have passed: the server asked one of us to wait, and means all. */
  quiet(milliseconds: number): void {
    this.quietUntil = Math.max(this.quietUntil, performance.now() + milliseconds);
  }

  /** Waits until the server's quiet is over. */
  async settled(signal?: AbortSignal): Promise<void> {
    for (let left = this.quietUntil - performance.now(); left > 0; left = this.quietUntil - performance.now()) await pause(left, signal);
  }

  /** Does a piece of work when its turn comes. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>(done => this.waiting.push(done));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}
