import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localPool } from './local-pool.ts';
import { PaceFile } from './pace-file.ts';
import { runPlan } from './run.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-pace-'));
});
afterAll(() => rm(root, { recursive: true }));

it('keeps paces by kind, for the next run, until they are removed', async () => {
  const path = join(root, 'times.json');
  const first = await PaceFile.open(path);
  expect(first.pace('a')).toBeUndefined();
  await first.keepPace('a', { units: 3, seconds: 1.234567 });
  await first.keepPace('b', { units: 1, seconds: 2 });
  await first.keepPace('b', { units: 4, seconds: 9 });
  const again = await PaceFile.open(path);
  expect([again.pace('a'), again.pace('b'), again.pace('c')]).toEqual([{ units: 3, seconds: 1.235 }, { units: 4, seconds: 9 }, undefined]);
  await again.remove();
  await again.remove();
  expect(await readdir(root)).toEqual([]);
});

it('begins anew, and says so, where the file is damaged', async () => {
  const path = join(root, 'damaged.json');
  for (const text of ['{"a"', '{"a":{"units":0,"seconds":1}}', '[]']) {
    await writeFile(path, text);
    const warnings: string[] = [];
    const paces = await PaceFile.open(path, message => warnings.push(message));
    expect(warnings).toEqual([`The times of the last run in ${path} cannot be read; what is left is estimated anew.`]);
    expect(paces.pace('a')).toBeUndefined();
    await paces.keepPace('a', { units: 1, seconds: 1 });
    expect((await PaceFile.open(path)).pace('a')).toEqual({ units: 1, seconds: 1 });
  }
});

it('lets the next run say what is left before its first task', async () => {
  const path = join(root, 'run.json');
  const done = new Set<string>();
  const plan = ['a', 'b', 'c'].map(key => ({ input: key, keys: [key] }));
  const run = async (stopAt: string): Promise<string[]> => {
    const paces = await PaceFile.open(path);
    // A task that took a minute.
    if (done.size) await paces.keepPace('questions', { units: 1, seconds: 60 });
    const store = {
      has: (key: string) => done.has(key),
      put: async (key: string) => void done.add(key),
      pace: (kind: string) => paces.pace(kind),
      keepPace: (kind: string, pace: { units: number; seconds: number }) => paces.keepPace(kind, pace),
    };
    const said: string[] = [];
    const pool = localPool<string, number>(async (key, { onCell }) => {
      if (key === stopAt) throw new Error('stop');
      await onCell(key, { result: 1 });
    });
    await runPlan(plan, store, pool, { label: 'Answering', unit: 'questions', onInfo: m => said.push(m) }).catch(() => {});
    return said;
  };
  expect(await run('b')).toEqual([]);
  expect((await PaceFile.open(path)).pace('questions')?.units).toBe(1);
  expect((await run('b'))[0]).toBe('Answering: 2 of 3 questions are left, which will take about 2 min (by an earlier run).');
});
