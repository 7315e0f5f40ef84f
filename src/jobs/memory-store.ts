/** @file Finished cells in memory, for work whose results nobody will ask for again. */
import type { Finished } from './cell.ts';
import type { Store } from './run.ts';

/** Keeps results until it is forgotten. */
export class MemoryStore<R> implements Store<R> {
  private readonly outcomes = new Map<string, Finished<R>['outcome']>();

  /** Whether a cell has its result. */
  has(key: string): boolean {
    return this.result(key) !== undefined;
  }

  /** The result of a cell. */
  result(key: string): R | undefined {
    const outcome = this.outcomes.get(key);
    return outcome && 'result' in outcome ? outcome.result : undefined;
  }

  async put(key: string, outcome: Finished<R>['outcome']): Promise<void> {
    this.outcomes.set(key, outcome);
  }
}
