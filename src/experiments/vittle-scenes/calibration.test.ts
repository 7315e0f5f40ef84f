import { expect, it } from 'vitest';
import { calibration, withoutProbabilities } from './calibration.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { experimentMarkdown } from './report.ts';

const exams: ExamFacts[] = [
  {
    id: 'clean',
    group: 'clean',
    items: Array.from({ length: 5 }, (_, i) => ({ scene: i, task: i === 4 ? 'caption' : 'count', question: 'q', answer: 'a' })),
  },
];
/** Four closed answers of this probability, and a caption that must not count. */
const run = (condition: string, seed: number, correct: string, sure: number): RunOutcome => ({
  condition,
  seed,
  outcomes: {
    clean: {
      correct: `${correct}0`,
      tokens: [1000, 1000, 1000, 1000, 0],
      said: [Math.log(sure), Math.log(sure), Math.log(sure), Math.log(sure / 2), 0],
      log_likelihood: -1,
      distance: { rjsd_visual: 0, rjsd_text: 0 },
    },
  },
});
const runs = [
  ...[run('plain', 0, '1110', 0.6), run('plain', 1, '1110', 0.8)],
  ...[run('lora', 0, '1110', 0.8), run('lora', 1, '1110', 0.8)],
];

it('calibration is that of closed questions, with paired differences over seeds', () => {
  const [ece, ranked] = calibration(runs, exams).get('plain')!;
  // Three right answers, each (1 − p) below; the wrong one p/2 above.
  expect(ece).toMatchObject({ figure: 'ECE', group: 'clean' });
  expect(ece.mean).toBeCloseTo(((3 * 0.4 + 0.3) / 4 + (3 * 0.2 + 0.4) / 4) / 2, 12);
  expect(ece.difference).toBeUndefined();
  expect(ranked).toMatchObject({ figure: 'AUROC', mean: 1 });
  const [other] = calibration(runs, exams).get('lora')!;
  // −.125 and 0: the mean over its own error is −1, and Cauchy's tails hold half.
  expect(other.difference!.difference).toBeCloseTo(-0.0625, 12);
  expect(other.difference!.pValue).toBeCloseTo(0.5, 10);
});

it('is said to be missing where a run of an older version has no probabilities', () => {
  expect(withoutProbabilities(runs, exams)).toEqual([]);
  expect(experimentMarkdown(runs, exams)).toContain('| clean: ECE | clean: AUROC |');
  const { said: _, ...clean } = runs[3].outcomes.clean;
  const mixed = [...runs.slice(0, 3), { ...runs[3], outcomes: { clean } }];
  expect(withoutProbabilities(mixed, exams)).toEqual([mixed[3]]);
  expect(experimentMarkdown(mixed, exams)).toContain('Not given: 1 of 4 runs were measured by an older version');
});
