import { describe, expect, it } from 'vitest';
import type { ScoredAnswer } from '../scorers/scorer.ts';
import { changesOf, type PairedScore, pairedScores } from './changes.ts';
import { yesNoQuestions } from './testing/scored.ts';

const pairs = (rows: readonly (readonly [a: number, b: number, cluster?: string])[]): PairedScore[] =>
  rows.map(([a, b, cluster], i) => ({ key: `${i}`, cluster: cluster ?? `${i}`, a, b }));

describe('pairedScores', () => {
  it('joins by key and leaves out what one side lacks or does not count', () => {
    const questions = yesNoQuestions(6);
    const rows = (marks: readonly (number | undefined)[]): ScoredAnswer[] =>
      marks.flatMap((correct, i) =>
        correct === undefined ? [] : [{ question: questions[i], raw: '', stripped: '', value: null, correct }],
      );
    const a = rows([1, 0.5, Number.NaN, 1, undefined, 0]);
    const b = rows([0, 1, 1, Number.NaN, 1, undefined]);
    expect(pairedScores(a, b.toReversed())).toEqual([
      { key: 'q0', cluster: 'picture 0', a: 1, b: 0 },
      { key: 'q1', cluster: 'picture 0', a: 0.5, b: 1 },
    ]);
  });
});

describe('changesOf', () => {
  it('counts what went from right to wrong and back, and the difference is b minus a', () => {
    const rows = pairs([
      [1, 1],
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    const changes = changesOf(rows);
    expect(changes).toMatchObject({ n: 8, clusters: 8, a: 0.75, b: 0.5, difference: -0.25, rightToWrong: 3, wrongToRight: 1 });
    // Exact McNemar of 3 against 1: 2 (C(4,0) + C(4,1)) / 2^4.
    expect(changes.mcnemar).toBeCloseTo(0.625, 12);
    // Differences -1 ×3, 1, 0 ×4: mean -1/4, variance (4 - 8/16) / 7 = 1/2, standard error 1/4, t = -1 with 7 degrees of freedom.
    expect(changes.pValue).toBeCloseTo(0.350617, 5);
    expect(changes.low).toBeCloseTo(-0.25 - 2.364624 * 0.25, 5);
    expect(changes.high).toBeCloseTo(-0.25 + 2.364624 * 0.25, 5);
    // ((1.959964 + 0.841621) / 0.01)² · 1/2.
    expect(changes.questionsForOnePoint).toBe(39245);
  });

  it('takes questions of one picture for one observation', () => {
    const rows = [0, 1, 2, 3].flatMap(c => [...Array(5)].map((): [number, number, string] => [1, c === 0 ? 0 : 1, `picture ${c}`]));
    const clustered = changesOf(pairs(rows));
    const independent = changesOf(pairs(rows.map(([a, b]) => [a, b])));
    expect(clustered.clusters).toBe(4);
    expect(clustered.difference).toBe(independent.difference);
    expect(clustered.high - clustered.low).toBeGreaterThan(2 * (independent.high - independent.low));
    expect(clustered.questionsForOnePoint).toBeGreaterThan(4 * independent.questionsForOnePoint);
  });

  it('says that nothing changed without a test that divides by nothing', () => {
    expect(
      changesOf(
        pairs([
          [1, 1],
          [0, 0],
          [1, 1],
        ]),
      ),
    ).toMatchObject({ difference: 0, mcnemar: 1, rightToWrong: 0, pValue: 1 });
    expect(() => changesOf([])).toThrow('no question');
  });
});
