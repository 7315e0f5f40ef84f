import { describe, expect, it } from 'vitest';
import { compareRuns, type ScoredRun } from './compare-runs.ts';
import { CLEAN, type Scenario } from './scenario.ts';
import { scoredSet } from './testing/scored.ts';

const fog: Scenario = { name: 'fog:3', image: { shift: 'fog', severity: 3 } };
const run = (name: string, clean: string, foggy: string): ScoredRun => ({
  name,
  model: `${name}-model`,
  settings: {},
  sets: [
    scoredSet([
      [CLEAN, clean],
      [fog, foggy],
    ]),
  ],
});

describe('compareRuns', () => {
  it('gives differences as run minus reference, and says that a run holds up better where it loses less', () => {
    // The reference has 9 of 12 and loses 6 to fog; the other has 8 and loses 1.
    const comparison = compareRuns([run('a', '111111111000', '111000000000'), run('b', '111111110000', '111111100000')]);
    const [clean, foggy] = comparison.rows;
    expect(comparison.reference).toBe('a');
    expect(clean).toMatchObject({ scenario: 'clean', kind: 'clean', run: 'b', reference: 9 / 12, value: 8 / 12 });
    expect(clean.changes).toMatchObject({ n: 12, clusters: 6, rightToWrong: 1, wrongToRight: 0 });
    expect(clean.changes.difference).toBeCloseTo(-1 / 12, 12);
    expect(clean.drop).toBeUndefined();
    expect(foggy).toMatchObject({ scenario: 'fog:3', kind: 'visual', reference: 3 / 12, value: 7 / 12 });
    expect(foggy.changes.difference).toBeCloseTo(4 / 12, 12);
    expect(foggy.drop).toMatchObject({ reference: 6 / 12, run: 1 / 12 });
    expect(foggy.drop!.difference).toBeCloseTo(5 / 12, 12);
    expect(foggy.drop!.low).toBeLessThan(5 / 12);
    expect(foggy.drop!.high).toBeGreaterThan(5 / 12);
  });

  it('calls a difference one only where the corrected test finds it', () => {
    const [right, wrong] = ['1'.repeat(40), '0'.repeat(40)];
    const mixed = `${'1'.repeat(39)}0`;
    const { rows } = compareRuns([run('a', wrong, right), run('b', right, wrong), run('c', `${'0'.repeat(39)}1`, mixed)]);
    expect(rows.map(row => [row.run, row.scenario, row.verdict])).toEqual([
      ['b', 'clean', 'better'],
      ['b', 'fog:3', 'worse'],
      ['c', 'clean', 'not significant'],
      ['c', 'fog:3', 'not significant'],
    ]);
    expect(rows[1].drop?.verdict).toBe('worse');
  });

  it('calls a difference one from p below 0.05 on', () => {
    // Of 40 pictures, each with two questions, the run is right on 3 (t = 1.78) or 4 (t = 2.08) more; 39 degrees of freedom.
    const none = '0'.repeat(80);
    const pictures = (count: number): string => '11'.repeat(count).padEnd(80, '0');
    const verdicts = (count: number) =>
      compareRuns([
        { ...run('a', none, none), sets: [scoredSet([[CLEAN, none]])] },
        { ...run('b', none, none), sets: [scoredSet([[CLEAN, pictures(count)]])] },
      ]).rows.map(({ verdict, changes }) => [verdict, Number(changes.pValue.toFixed(2))]);
    expect(verdicts(3)).toEqual([['not significant', 0.08]]);
    expect(verdicts(4)).toEqual([['better', 0.04]]);
  });

  it('joins by question, not by position, and says what is not in both', () => {
    const { rows, warnings } = compareRuns([run('a', '1.1100', '111111'), run('b', '.11100', '111111')]);
    expect(rows[0].changes).toMatchObject({ n: 4, difference: 0, rightToWrong: 0, wrongToRight: 0 });
    expect(warnings).toEqual([expect.stringContaining('made, clean: 1 of 5 questions are not in both a and b')]);
    for (const [a, b] of [
      ['111', '1..'],
      ['1..', '111'],
    ])
      expect(compareRuns([run('a', a, '111'), run('b', b, '111')]).warnings).toEqual([
        expect.stringContaining('made, clean: 2 of 3 questions are not in both a and b'),
      ]);
    const short = run('b', '111111', '111111');
    const missing = compareRuns([
      run('a', '111111', '111111'),
      { ...short, sets: [{ ...short.sets[0], scenarios: [short.sets[0].scenarios[0]] }] },
    ]);
    expect(missing.rows).toHaveLength(1);
    expect(missing.warnings).toEqual(['b has no answers to made under fog:3.']);
    expect(() => compareRuns([run('a', '11', '11')])).toThrow('two runs');
  });

  it('pairs no questions, shifts or drawn sets that only share a name', () => {
    const [a, b] = [run('a', '111111', '111111'), run('b', '000000', '000000')];
    const [set] = b.sets;
    const renamed = set.scenarios.map(one => ({
      ...one,
      rows: one.rows.map((row, i) => (i < 2 ? { ...row, question: { ...row.question, text: 'another ?' } } : row)),
    }));
    const other = compareRuns([a, { ...b, sets: [{ ...set, scenarios: renamed }] }]);
    expect(other.rows.map(row => row.changes.n)).toEqual([4, 4]);
    expect(other.warnings.join()).toContain('2 of 6 questions');
    const stronger = { ...set.scenarios[1], scenario: { name: 'fog:3', image: { shift: 'fog', severity: 5 } } };
    const shifted = compareRuns([a, { ...b, sets: [{ ...set, scenarios: [set.scenarios[0], stronger] }] }]);
    expect(shifted.rows.map(row => row.scenario)).toEqual(['clean']);
    expect(shifted.warnings.join()).toContain('no answers to made under fog:3');
    const seeded = (one: ScoredRun, seed: number, hash: string): ScoredRun => ({ ...one, seed, sets: [{ ...one.sets[0], hash }] });
    expect(compareRuns([seeded(a, 0, 'x'), seeded(b, 1, 'x')]).rows).toHaveLength(2);
    const drawn = compareRuns([seeded(a, 0, 'x'), seeded(b, 1, 'y')]);
    expect(drawn.rows).toEqual([]);
    expect(drawn.warnings).toEqual([expect.stringContaining('other questions in b (seed 1)')]);
  });
});
