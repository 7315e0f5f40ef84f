import { expect, it } from 'vitest';
import { exampleRun } from './testing/example-run.ts';
import { allWarnings } from './warnings.ts';

it('says once what several scenarios share, and by which rule', () => {
  const { results } = exampleRun({ sets: ['pope'], questions: 4 });
  const [set] = results.sets;
  const warned = (only: number, many: number) =>
    set.scenarios.map((one, i) => ({
      ...one,
      score: { ...one.score, warnings: i === only ? ['Nothing could be read.'] : [] },
      others: { 'pope@lmms-eval': { ...one.others['pope@lmms-eval'], warnings: i < many ? ['0/0 is 0.'] : [] } },
    }));
  const of = (only: number, many: number) =>
    allWarnings({
      ...results,
      warnings: ['Of the run.', 'Of the run.'],
      sets: [{ ...set, warnings: ['Of the set.'], scenarios: warned(only, many) }],
    });
  expect(of(1, 6)).toEqual([
    'Of the run.',
    'POPE: Of the set.',
    'POPE under clean, defocus_blur:2, defocus_blur:4 and 3 more: by pope@lmms-eval, 0/0 is 0.',
    'POPE under defocus_blur:2: Nothing could be read.',
  ]);
  expect(of(-1, 4).at(-1)).toBe('POPE under clean, defocus_blur:2, defocus_blur:4, zoom_blur:2: by pope@lmms-eval, 0/0 is 0.');
});
