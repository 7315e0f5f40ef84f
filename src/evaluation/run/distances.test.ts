import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assembleRun } from './assemble.ts';
import { readDistances, withDistances } from './distances.ts';
import { scoredSet } from './testing/scored.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-distances-'));
});
afterAll(() => rm(folder, { recursive: true }));

const target = (name: string, value: number) => ({
  ...{ name, emid: { value, low: 0, high: 1 }, bound: value + 1 },
  divergences: { visual: value + 2, text: value + 3, sourceOutput: 9, targetOutput: value + 4 },
});
const results = assembleRun({
  run: { model: 'made', settings: {}, seed: 0, warnings: [], sets: [] },
  sets: [
    scoredSet(
      [
        [{ name: 'clean' }, '1111'],
        [{ name: 'fog:3', image: { shift: 'fog', severity: 3 } }, '1100'],
        [{ name: 'ocr:3', text: { shift: 'ocr', severity: 3 } }, '1000'],
      ],
      'pope',
    ),
  ],
  leftOut: [],
  unanswered: [],
});

it('puts the distances of a file next to the scenarios of their names, and says what does not fit', async () => {
  const path = join(folder, 'emi.json');
  await writeFile(path, JSON.stringify({ schemaVersion: 1, targets: [target('fog:3', 0.25), target('snow:3', 0.5)] }));
  const [set] = withDistances(results, 'pope', await readDistances(path), path).sets;
  expect(set.scenarios.map(one => one.distances)).toEqual([
    undefined,
    { emid: 0.25, emid_bound: 1.25, rjsd_visual: 2.25, rjsd_text: 3.25, rjsd_output: 4.25 },
    undefined,
  ]);
  expect(set.warnings).toEqual([
    `${path} has no distance of ocr:3.`,
    `${path} has distances of snow:3, which were not asked here; they are left out.`,
  ]);
});

it('refuses other files, other sets and other scenarios', async () => {
  const path = join(folder, 'other.json');
  await writeFile(path, '{"schemaVersion":1}');
  await expect(readDistances(path)).rejects.toThrow('is no emi.json of narrows emi');
  await expect(readDistances(join(folder, 'none.json'))).rejects.toThrow('none.json');
  const distances = new Map([['snow:3', { emid: 1 }]]);
  expect(() => withDistances(results, 'mme', distances, 'f')).toThrow('f is for mme, but the run has scores of pope only.');
  expect(() => withDistances(results, 'pope', distances, 'f')).toThrow('none of which is a scenario of pope');
});
