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

it('keeps no more bytes than it may, whatever the number, but always the last one', async () => {
  const open = new Set<string>();
  const pool = new GraphCachePool(4, 100);
  const touch = async (name: string, bytes: number): Promise<string> => {
    await pool.use(
      name,
      async graphs => {
        await graphs.keep('k', async () => {
          // Room is made before the new session takes its memory.
          seen = [...open].join('');
          open.add(name);
          return { release: async () => void open.delete(name) };
        });
      },
      bytes,
    );
    return [...open].sort().join('');
  };
  let seen = '';
  expect(await touch('a', 40)).toBe('a');
  expect(await touch('b', 40)).toBe('ab');
  expect(await touch('c', 50)).toBe('bc');
  expect(seen).toBe('b');
  expect(await touch('d', 500)).toBe('d');
  expect(seen).toBe('');
  // One without a size (texts) costs a large one nothing, nor the other way round.
  expect(await touch('t', 0)).toBe('dt');
  expect(await touch('d', 500)).toBe('dt');
  expect(await touch('e', 10)).toBe('et');
  for (const name of 'fghi') await touch(name, 1);
  expect([...open].sort().join('')).toBe('fghi');
  await pool.release();
});
