import { describe, expect, it } from 'vitest';
import type { Pace, Task, Work } from './cell.ts';
import { estimateLine } from './estimate.ts';
import { localPool } from './local-pool.ts';
import { MemoryStore } from './memory-store.ts';
import { runPlan } from './run.ts';

const run = { label: 'Attributing', unit: 'pairs', width: 1, total: 1000, source: 'an earlier run' };

describe('the estimate', () => {
  it('is what is left times the time of a unit, over the workers', () => {
    const parts = [{ kind: 'pairs', units: 900, pace: { units: 10, seconds: 20 } }];
    expect(estimateLine(run, parts)).toBe('Attributing: 900 of 1,000 pairs are left, which will take about 30 min (by an earlier run).');
    expect(estimateLine({ ...run, width: 3 }, parts)).toMatch(/about 10 min/);
  });

  it('adds up kinds, names those that are not known, and says nothing of what is short or unknown', () => {
    const known = { kind: 'pairs', units: 100, pace: { units: 1, seconds: 1 } };
    expect(estimateLine(run, [known, { kind: 'trainings', units: 2, pace: { units: 1, seconds: 60 } }])).toMatch(
      /102 of .* about 3 min 40 s/,
    );
    expect(estimateLine(run, [known, { kind: 'trainings', units: 5 }])).toMatch(
      /105 of .* 1 min 40 s .*; not in it: trainings, not yet timed\.$/,
    );
    expect(estimateLine(run, [{ kind: 'pairs', units: 100 }])).toBeUndefined();
    expect(estimateLine(run, [{ ...known, units: 19 }])).toBeUndefined();
  });

  it('comes before the first task where the store knows how long earlier ones took, and is kept for the next run', async () => {
    const kept: [string, Pace][] = [];
    class Timed extends MemoryStore<number> {
      pace = (kind: string): Pace | undefined => (kind === 'pairs' ? { units: 2, seconds: 100 } : undefined);
      keepPace = async (kind: string, pace: Pace): Promise<void> => void kept.push([kind, pace]);
    }
    const said: string[] = [];
    const plan = Array.from({ length: 3 }, (_, i): Task<number> => ({ input: i, keys: [`${i}`], units: 2 }));
    const work: Work<number, number> = async (i, { onCell }) => {
      said.push(`task ${i}`);
      await onCell(`${i}`, { result: i });
    };
    await runPlan(plan, new Timed(), localPool(work), { label: 'Attributing', unit: 'pairs', onInfo: message => said.push(message) });
    expect(said[0]).toMatch(/^Attributing: 6 of 6 pairs are left, which will take about 5 min .*\(by an earlier run\)\.$/);
    expect(said.slice(1)).toEqual(['task 0', 'task 1', 'task 2']);
    expect(kept).toEqual([['pairs', { units: 6, seconds: expect.any(Number) }]]);
  });
});
