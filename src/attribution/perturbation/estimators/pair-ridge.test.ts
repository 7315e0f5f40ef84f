/** @file The ridge on pairs: finds the pairs of a game that is made of them, and nothing where there are none. */
import { expect, it } from 'vitest';
import { RandomStream } from '../../../tensor/random.ts';
import { mean, variance } from '../../../tensor/statistics/descriptive.ts';
import { drawCoalitions } from '../coalitions.ts';
import { gameOf, teamGame } from '../testing/games.ts';
import { regressor } from './least-squares.ts';
import { pairValue, ridgePairs } from './pair-ridge.ts';

const n = 20;
const coalitions = drawCoalitions(new RandomStream(1, 'test.ridge').reader(0, 0), 150, n, 0.6, false);

it('with fewer masks than pairs, the pairs that matter stand out and main effects are kept', async () => {
  const teams = [
    { members: [0], worth: 2 },
    { members: [3, 7], worth: 3 },
    { members: [5, 11], worth: -2 },
  ];
  const values = await teamGame(n, teams).values(coalitions);
  const fit = ridgePairs(regressor(coalitions, n), values);
  const ranked = [...fit.pairs.keys()]
    .filter(at => Math.floor(at / n) < at % n)
    .sort((a, b) => Math.abs(fit.pairs[b]) - Math.abs(fit.pairs[a]));
  expect(ranked.slice(0, 2)).toEqual([3 * n + 7, 5 * n + 11]);
  expect(fit.pairs[3 * n + 7]).toBeGreaterThan(0.5);
  expect(fit.pairs[7 * n + 3]).toBe(fit.pairs[3 * n + 7]);
  expect(fit.main[0]).toBeGreaterThan(1);
  // Products of 0 and 1, no longer of centred ones: the rows' values come out without an offset.
  const left = values.map((v, m) => v - pairValue(fit, coalitions, m));
  expect(Math.abs(mean(left))).toBeLessThan(0.02);
  expect(variance(left)).toBeLessThan(0.15 * variance(values));
});

it('an additive game has no pairs, and the fit is exact', async () => {
  const game = gameOf(n, has => 1 + Array.from({ length: n }, (_, i) => (has(i) ? i : 0)).reduce((a, b) => a + b, 0));
  const fit = ridgePairs(regressor(coalitions, n), await game.values(coalitions));
  expect(Math.max(...fit.pairs.map(Math.abs))).toBeLessThan(1e-6);
  expect(pairValue(fit, new Uint8Array(n).fill(1), 0)).toBeCloseTo(1 + 190, 6);
});
