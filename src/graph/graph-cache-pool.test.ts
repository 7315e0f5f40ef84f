/** @file Of many groups the last used few are kept; what is in use is never closed. */
import { expect, it } from 'vitest';
import { GraphCachePool } from './graph-cache.ts';

it('closes the least recently used groups, never one that is in use', async () => {
  const open = new Set<string>();
  const pool = new GraphCachePool(2);
  const touch = (name: string) =>
    pool.use(name, graphs =>
      graphs.keep('k', async () => {
        open.add(name);
        return { release: async () => void open.delete(name) };
      }),
    );
  let finish = (): void => {};
  const held = pool.use('held', async graphs => {
    await graphs.keep('k', async () => ({ release: async () => void open.delete('held') }));
    open.add('held');
    await new Promise<void>(done => {
      finish = done;
    });
    expect(open.has('held')).toBe(true);
  });
  for (const name of ['a', 'b', 'a', 'c', 'd']) await touch(name);
  // The group in use counts, too, and stays although it is the oldest.
  expect([...open].sort()).toEqual(['d', 'held']);
  finish();
  await held;
  await touch('d');
  await touch('e');
  expect([...open].sort()).toEqual(['d', 'e']);
  await pool.release();
  expect([...open]).toEqual([]);
});
