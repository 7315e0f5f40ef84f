import { describe, expect, it } from 'vitest';
import { answerLines, assembleRun } from './assemble.ts';
import { CLEAN, type Scenario } from './scenario.ts';
import { scoredSet } from './testing/scored.ts';

const fog: Scenario = { name: 'fog:3', image: { shift: 'fog', severity: 3 } };
const both: Scenario = { name: 'fog:3+ocr:2', image: fog.image, text: { shift: 'ocr', severity: 2 } };
const run = { model: 'm', settings: { weights: 'w' }, seed: 0, warnings: [], sets: [] };
const set = scoredSet([
  [CLEAN, '11111100'],
  [fog, '11110010'],
  [both, '01110000'],
]);
const parts = { run, leftOut: [], unanswered: [{ benchmark: 'made', scenario: 'fog:3', key: 'x', where: 'x', reason: 'r' }] };

describe('assembleRun', () => {
  const results = assembleRun({ ...parts, sets: [set] });

  it('has changes of each scenario against the clean one, not the reverse', () => {
    const [clean, foggy, joint] = results.sets[0].scenarios;
    expect(clean.againstClean).toBeUndefined();
    expect(clean.score.metrics.accuracy).toBe(6 / 8);
    expect(foggy).toMatchObject({ kind: 'visual', unanswered: 1 });
    expect(foggy.againstClean).toMatchObject({ a: 6 / 8, b: 5 / 8, rightToWrong: 2, wrongToRight: 1 });
    expect(foggy.againstClean!.difference).toBeCloseTo(-1 / 8, 12);
    expect(joint).toMatchObject({ kind: 'joint', unanswered: 0 });
    expect(joint.againstClean).toMatchObject({ rightToWrong: 3, wrongToRight: 0 });
    // Holm over two tests: the smaller p doubles.
    const [p, q] = [foggy.againstClean!, joint.againstClean!];
    expect(Math.min(p.adjusted, q.adjusted)).toBeCloseTo(Math.min(1, 2 * Math.min(p.pValue, q.pValue)), 12);
    expect(results.sets[0]).toMatchObject({ questions: 8, clusters: 4, scorer: 'pope@strict' });
  });

  it('names as worst what is right clean and wrong under most shifts', () => {
    expect(results.worst.map(({ key, wrongUnder }) => [key, wrongUnder])).toEqual([
      ['q4', 2],
      ['q5', 2],
      ['q0', 1],
    ]);
    expect(results.worst[0]).toMatchObject({ right: ['yes'], clean: { raw: 'yes', correct: 1 }, scenarios: 2 });
    expect(results.worst[0].wrong).toEqual([
      { scenario: 'fog:3', raw: 'no' },
      { scenario: 'fog:3+ocr:2', raw: 'no' },
    ]);
    const alone = assembleRun({ ...parts, sets: [scoredSet([[CLEAN, '1101']])] });
    expect(alone.worst.map(({ key }) => key)).toEqual(['q2']);
  });

  it('takes half of the points for right, less for wrong', () => {
    const made = scoredSet([
      [CLEAN, '1111'],
      [fog, '0000'],
    ]);
    const marks = [
      [0.5, 0.49],
      [0.49, 0],
      [0.5, 0.5],
      [1, 0.49],
    ];
    const scenarios = made.scenarios.map((one, s) => ({ ...one, rows: one.rows.map((row, i) => ({ ...row, correct: marks[i][s] })) }));
    expect(assembleRun({ ...parts, sets: [{ ...made, scenarios }] }).worst.map(({ key }) => key)).toEqual(['q0', 'q3']);
  });

  it('keeps eight worst cases of a set, and three scenarios of each', () => {
    const shifted = [1, 2, 3, 4].map(severity => [{ name: `fog:${severity}`, image: { shift: 'fog', severity } }, '0'.repeat(10)] as const);
    const { worst } = assembleRun({ ...parts, sets: [scoredSet([[CLEAN, '1'.repeat(10)], ...shifted])] });
    expect(worst.map(({ key }) => key)).toEqual(['q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7']);
    for (const one of worst) {
      expect(one.wrong.map(({ scenario }) => scenario)).toEqual(['fog:1', 'fog:2', 'fog:3']);
      expect(one).toMatchObject({ wrongUnder: 4, scenarios: 4 });
    }
  });

  it('lists every answer with its question, what was read and whether it is right', () => {
    const lines = [...answerLines([set])];
    expect(lines).toHaveLength(24);
    expect(lines[8 + 4]).toEqual({
      benchmark: 'made',
      scenario: 'fog:3',
      key: 'q4',
      text: 'is there thing 4 ?',
      right: ['yes'],
      raw: 'no',
      value: 'no',
      correct: 0,
      category: 'second',
    });
  });
});
