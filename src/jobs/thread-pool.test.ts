import { describe, expect, it } from 'vitest';
import type { Task } from './cell.ts';
import { MemoryStore } from './memory-store.ts';
import type { PoolThread } from './rank-threads.ts';
import { runPlan } from './run.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';
import { threadPool } from './thread-pool.ts';

const plan: Task<number>[] = Array.from({ length: 4 }, (_, i) => ({ input: i, keys: [`${i}a`, `${i}b`] }));

/** Threads that answer at once, and the machine of one of them dies after so many words of it. */
function threads(dies: { index: number; after: number; once?: boolean }) {
  const begun: string[] = [];
  let died = 0;
  const spawn = (index: number): PoolThread => {
    const listeners: Record<string, (value: never) => void> = {};
    let [words, dead] = [0, false];
    const say = (reply: ThreadReply<string>): Promise<void> =>
      new Promise(resolve =>
        setImmediate(() => {
          if (!dead) listeners.message(reply as never);
          words++;
          if (!dead && index === dies.index && words === dies.after && (died === 0 || !dies.once)) {
            dead = true;
            died++;
            setImmediate(() => listeners.lost(undefined as never));
          }
          resolve();
        }),
      );
    void say({ kind: 'ready' });
    return {
      on: (event: string, listen: (value: never) => void) => {
        listeners[event] = listen;
      },
      postMessage: async (message: unknown) => {
        const request = message as ThreadRequest<number>;
        if ('close' in request) return say({ kind: 'closed' });
        if (!('task' in request)) return undefined;
        begun.push(`${request.task} by ${index}`);
        await say({ kind: 'cell', key: `${request.task}a`, outcome: { result: `A${request.task} by ${index}` } });
        await say({ kind: 'cell', key: `${request.task}b`, outcome: { result: `B${request.task} by ${index}` } });
        return say({ kind: 'done' });
      },
    };
  };
  return { begun, spawn };
}

describe('a pool whose worker dies with its machine', () => {
  // Words of a thread: ready, and of each task two cells and done.
  it.each([
    ['before its first task', 1],
    ['behind the first cell of it', 2],
    ['behind the last', 3],
    ['between two tasks', 4],
  ])('does the task in hand again, elsewhere, and each cell once: %s', async (_, after) => {
    const { begun, spawn } = threads({ index: 1, after });
    const store = new MemoryStore<string>();
    const seen: string[] = [];
    const units: number[] = [];
    await runPlan(plan, store, threadPool({ width: 2, spawn }), {
      ...{ label: 'Testing', unit: 'tasks' },
      onCell: ({ key }) => seen.push(key),
      onProgress: done => units.push(done),
    });
    expect(seen.toSorted()).toEqual(plan.flatMap(({ keys }) => keys).toSorted());
    expect(units.at(-1)).toBe(plan.length);
    expect(Math.max(...units)).toBe(plan.length);
    expect(begun.filter(line => line.endsWith('by 1')).length).toBeLessThan(3);
    for (const { input } of plan) expect(store.result(`${input}b`)).toMatch(new RegExp(`^B${input} by `));
  });

  it('starts again where nobody is left to take over the last task', async () => {
    const { begun, spawn } = threads({ index: 0, after: 2, once: true });
    const store = new MemoryStore<string>();
    await runPlan(plan.slice(0, 1), store, threadPool({ width: 1, spawn }), { label: 'Testing', unit: 'tasks' });
    expect(begun).toEqual(['0 by 0', '0 by 0']);
    expect(store.result('0b')).toBe('B0 by 0');
  });
});
