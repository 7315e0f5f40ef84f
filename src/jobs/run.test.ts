import { describe, expect, it } from 'vitest';
import type { Task, Work } from './cell.ts';
import { localPool } from './local-pool.ts';
import { MemoryStore } from './memory-store.ts';
import { type RunHooks, runPlan } from './run.ts';

const plan: Task<number>[] = Array.from({ length: 5 }, (_, i) => ({ input: i, keys: [`${i}a`, `${i}b`], units: 2 }));
const work: Work<number, string> = async (i, hooks) => {
  await hooks.onCell(`${i}a`, { result: `A${i}` });
  hooks.onProgress(0.5);
  await hooks.onCell(`${i}b`, i === 3 ? { failure: 'three' } : { result: `B${i}` });
};
const hooks: RunHooks<string> = { label: 'Testing', unit: 'halves' };

describe('a plan', () => {
  it('runs what the store lacks and counts in units; a failed cell is tried again, nothing else is', async () => {
    const store = new MemoryStore<string>();
    await store.put('1a', { result: 'before' });
    await store.put('1b', { result: 'before' });
    const seen: number[] = [];
    const ran: number[] = [];
    const counted: Work<number, string> = (i, h) => {
      ran.push(i);
      return work(i, h);
    };
    await runPlan(plan, store, localPool(counted), { ...hooks, start: 10, onProgress: units => seen.push(units) });
    expect(ran).toEqual([0, 2, 3, 4]);
    expect(seen).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
    expect([store.result('1a'), store.result('4b'), store.result('3b')]).toEqual(['before', 'B4', undefined]);
    await runPlan(plan, store, localPool(counted), hooks);
    expect(ran).toEqual([0, 2, 3, 4, 3]);
  });

  it('ends with what a worker throws, and keeps the cells that were finished', async () => {
    const store = new MemoryStore<string>();
    const failing: Work<number, string> = async (i, h) => {
      await h.onCell(`${i}a`, { result: 'x' });
      if (i === 2) throw new Error('the disk is full');
    };
    await expect(runPlan(plan, store, localPool(failing), hooks)).rejects.toThrow('the disk is full');
    expect([store.has('2a'), store.has('3a')]).toEqual([true, false]);
  });

  it('stops between tasks when it is aborted', async () => {
    const controller = new AbortController();
    const store = new MemoryStore<string>();
    const run = runPlan(plan, store, localPool(work), {
      ...hooks,
      signal: controller.signal,
      onCell: ({ key }) => key === '1b' && controller.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    expect([store.has('1b'), store.has('2a')]).toEqual([true, false]);
  });
});
