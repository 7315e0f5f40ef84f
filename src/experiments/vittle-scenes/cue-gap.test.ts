import { expect, it } from 'vitest';
import { analyse, columnsOf, FURTHER_COLUMNS } from './analyse.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { experimentMarkdown } from './report.ts';

const SCENES = 12;
const exams: ExamFacts[] = [
  {
    id: 'cue',
    group: 'cue',
    items: Array.from({ length: 2 * SCENES }, (_, i) => ({
      ...{ scene: i >> 1, task: 'existence', question: 'q', answer: 'yes' },
      cue: i % 2 ? 'wrong' : 'right',
    })),
  },
];
/** @param against of three scenes, how many are answered right against the cue */
const run = (condition: string, seed: number, against: number): RunOutcome => ({
  condition,
  seed,
  outcomes: {
    cue: {
      correct: Array.from({ length: SCENES }, (_, scene) => `1${scene % 3 < against ? 1 : 0}`).join(''),
      tokens: Array.from({ length: 2 * SCENES }, () => 0),
      log_likelihood: -1,
      distance: { rjsd_visual: 0, rjsd_text: 0, cosine_visual: 0 },
    },
  },
});

it('tells how much less is right where the cue is wrong', () => {
  const runs = [0, 1].flatMap(seed => [run('plain', seed, 1), run('vittle-f', seed, 2)]);
  const columns = columnsOf(exams, FURTHER_COLUMNS);
  expect(columns.map(column => column.name)).toEqual(['cue right', 'cue wrong', 'cue wrong − right']);
  const table = analyse(runs, exams, columns);
  const row = (condition: string): number[] => [...table.get(condition)!.values()].map(cell => cell.accuracy.estimate);
  expect(row('plain')).toEqual([1, expect.closeTo(1 / 3, 12), expect.closeTo(-2 / 3, 12)]);
  expect(row('vittle-f')).toEqual([1, expect.closeTo(2 / 3, 12), expect.closeTo(-1 / 3, 12)]);
  expect(table.get('vittle-f')!.get('cue wrong − right')!.difference!.estimate).toBeCloseTo(1 / 3, 12);
});

it('writes the gap with its signs, and shares without', () => {
  const clean: ExamFacts = { ...exams[0], id: 'clean', group: 'clean', items: exams[0].items.map(({ cue: _, ...item }) => item) };
  const runs = [0, 1]
    .flatMap(seed => [run('plain', seed, 1), run('vittle-f', seed, 3)])
    .map(one => ({ ...one, outcomes: { ...one.outcomes, clean: one.outcomes.cue } }));
  const [head, , plain, vittle] = experimentMarkdown(runs, [clean, ...exams])
    .split('\n')
    .filter(line => line.startsWith('|'));
  const bare = (line: string): string[] => line.split(' | ').map(cell => cell.replaceAll('|', '').trim());
  const cells = bare(head).map((name, i) => [name, bare(plain)[i]]);
  expect(cells).toContainEqual(['cue right', '1.000 [1.000, 1.000]']);
  expect(Object.fromEntries(cells)['cue wrong']).toMatch(/^\.333 \[\.\d{3}, \.\d{3}\]$/);
  expect(Object.fromEntries(cells)['cue wrong − right']).toMatch(/^−\.667 \[−[.\d]+, [−+][.\d]+\]$/);
  // Where nothing is lost against the cue the gap is nought, with a sign too.
  expect(bare(vittle)[bare(head).indexOf('cue wrong − right')]).toMatch(/^\+\.000 \[\+\.000, \+\.000\]/);
});
