import { expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { chainSections } from './report-chain.ts';

const item = (scene: number) => ({ scene, task: 'existence', question: 'q', answer: 'a' }) as const;
const items = Array.from({ length: 200 }, (_, scene) => item(scene));
const exams: ExamFacts[] = [
  { id: 'clean', group: 'clean', items },
  ...Array.from({ length: 6 }, (_, k): ExamFacts => ({ id: `image:${k}`, group: 'image', items })),
];

/** Runs that lose twice what they move; Vittle moves .05 less. */
function runs(seeds: number): RunOutcome[] {
  const random = new RandomStream(2, 'simulated.runs');
  return ['plain', 'vittle-f'].flatMap((condition, c) =>
    Array.from({ length: seeds }, (_, seed) => {
      const outcome = (jsd: number) => {
        const right = Math.round(200 * (0.9 - 2 * jsd));
        return {
          ...{ correct: '1'.repeat(right).padEnd(200, '0'), tokens: items.map(() => 0), log_likelihood: -1 },
          distance: { rjsd_visual: jsd },
        };
      };
      const shifted = exams.slice(1).map(({ id }, k) => {
        const jsd = 0.1 + 0.02 * k + (c === 1 ? -0.05 : 0) + 0.02 * (random.reader(c * 100 + seed, k).uniform() - 0.5);
        return [id, outcome(jsd)] as const;
      });
      return { condition, seed, outcomes: Object.fromEntries([['clean', outcome(0)] as const, ...shifted]) };
    }),
  );
}

it('tells of simulated runs what was planted, and nothing before all seeds are in', () => {
  const text = chainSections(runs(8), exams).join('\n');
  const row = text.split('\n').filter(line => line.startsWith('| Vittle F |'));
  // JSD less by .05, accuracy kept more by .1, all of it carried.
  expect(row[0]).toMatch(/\| −\.0(4|5)\d \[.*\| \+\.(09|10)\d \[.*\| KL does not move \|$/);
  expect(row[1]).toMatch(/\| \+\.(09|10)\d \[.*JSD carries it \|$/);
  const early = chainSections(runs(7), exams).join('\n');
  expect(early).not.toContain('JSD carries it');
  expect(early.split('\n').filter(line => line.endsWith('| open: 7 of 8 |'))).toHaveLength(2);
  expect(chainSections(runs(8).slice(0, 8), exams)).toEqual([]);
});
