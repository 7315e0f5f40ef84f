import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { carryOver, sameSettings } from './carry-over.ts';
import { experimentSchema } from './settings.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-carry-'));
});
afterAll(() => rm(root, { recursive: true }));

const settings = experimentSchema.parse({ start: 'here' });

it('takes results, what was chosen and nothing else; what is here already stays', async () => {
  const [from, output] = [join(root, 'from'), join(root, 'to')];
  const write = async (path: string, content = path): Promise<void> => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
  };
  await write(join(from, 'settings.json'), JSON.stringify({ ...settings, start: 'there', seeds: 3, conditions: ['plain'] }));
  for (const name of ['results/plain-0.json.gz', 'results/plain-1.json.gz', 'results/note.txt', 'validation/vittle-f-1.json.gz'])
    await write(join(from, name));
  for (const name of ['chosen.json', 'start.json', 'times.json', 'runs/plain-0/checkpoint']) await write(join(from, name));
  await write(join(output, 'results/plain-1.json.gz'), 'mine');
  expect(await carryOver(from, output, settings)).toBe(2);
  const files = (await readdir(output, { recursive: true })).filter(name => name.includes('.'));
  expect(files.sort()).toEqual([
    ...['chosen.json', 'results/plain-0.json.gz', 'results/plain-1.json.gz', 'start.json', 'validation/vittle-f-1.json.gz'],
  ]);
  expect(await readFile(join(output, 'results/plain-1.json.gz'), 'utf8')).toBe('mine');
  expect(await carryOver(from, output, settings)).toBe(0);
});

it('holds settings to be the same whatever start, seeds and conditions they name', () => {
  expect(sameSettings(settings, { ...settings, start: 'elsewhere', seeds: 2, conditions: ['all'] })).toBe(true);
  expect(sameSettings(settings, { ...settings, tune_steps: 999 })).toBe(false);
});
