/** @file Interleaved timing: ours, rival, ours, rival, … in fixed rounds, after one warm-up of every side. */
import { setTimeout } from 'node:timers/promises';

/** One side of a comparison: runs once and gives what the clock showed (seconds, or another unit). */
export interface Side {
  readonly name: string;
  run(round: number): Promise<number>;
  /** Takes part in the first `slowRounds` only. */
  readonly slow?: boolean;
  /** False where its first run needs no rehearsal (or had one). Default true. */
  readonly warm?: boolean;
}

/** Thread pools of both runtimes spin for a while after their work; the other side waits until they sleep. */
const SETTLE_MS = 400;

/** Values per side, by name. Every round runs each side once, in order, so that a slow spell of the machine meets all of them. */
export async function interleave(
  sides: readonly Side[],
  { repeat, slowRounds, status }: { repeat: number; slowRounds: number; status(message: string): void },
): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = Object.fromEntries(sides.map(side => [side.name, []]));
  for (const side of sides) {
    if (side.warm === false) continue;
    status(`  warm-up: ${side.name}`);
    await side.run(-1);
  }
  for (let round = 0; round < repeat; round++) {
    for (const side of sides) {
      if (side.slow && round >= slowRounds) continue;
      await setTimeout(SETTLE_MS);
      const value = await side.run(round);
      values[side.name].push(value);
      status(`  round ${round + 1} of ${repeat}: ${side.name} ${value.toPrecision(4)}`);
    }
  }
  return values;
}

/** Seconds that `work` takes. */
export async function clock(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
