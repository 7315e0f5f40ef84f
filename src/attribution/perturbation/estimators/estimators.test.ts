/** @file Estimators on games whose answer is known: closed forms, exactness of listing, convergence at 1/√n, honest standard errors. */
import { describe, expect, it } from 'vitest';
import { additiveGame, type Game } from '../../game.ts';
import { allCoalitions } from '../coalitions.ts';
import { drawTeams, gameOf, gloveGame, teamGame } from '../testing/games.ts';
import { banzhaf } from './banzhaf.ts';
import { exactBanzhaf, exactBanzhafPairs, exactShapley } from './exact.ts';
import { kernelShap } from './kernel-shap.ts';
import { lime, limeWeight } from './lime.ts';
import { occlude, slidingWindows } from './occlusion.ts';
import { noise, type PlayerValues, total } from './player-values.ts';
import { rise } from './rise.ts';
import { permutationPairs, shapley } from './shapley.ts';

const close = (got: ArrayLike<number>, want: ArrayLike<number>, digits = 10): void => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i], digits);
};

describe('exact values', () => {
  it('glove game: the only right glove gets two thirds', async () => {
    const values = await gloveGame(2, 1).values(allCoalitions(3));
    close(exactShapley(values, 3), [1 / 6, 1 / 6, 4 / 6]);
    close(exactBanzhaf(values, 3), [1 / 4, 1 / 4, 3 / 4]);
  });

  it('unanimity games: dividends shared for Shapley, times p^(size − 1) for Banzhaf, p^(size − 2) for pairs', async () => {
    const n = 6;
    const game = teamGame(n, drawTeams(n, 12, 1));
    const values = await game.values(allCoalitions(n));
    close(exactShapley(values, n), game.shapley);
    for (const p of [0.5, 0.7]) {
      close(exactBanzhaf(values, n, p), game.banzhaf(p));
      const pairs = exactBanzhafPairs(values, n, p);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) expect(pairs[i * n + j]).toBeCloseTo(i === j ? 0 : game.pair(i, j, p), 10);
    }
  });
});

describe('estimators', () => {
  const worth = [3, -1, 0, 0.5, 2, -2];
  const seed = 5;

  it('give players of an additive game their worth', async () => {
    const game = additiveGame(worth, 7);
    close((await occlude(game)).values, worth);
    close((await shapley(game, { samples: 2000, seed })).values, worth);
    close((await shapley(game, { samples: 40, seed })).values, worth);
    close((await kernelShap(game, { samples: 40, seed })).values, worth);
    close((await banzhaf(game, { samples: 40, p: 0.3, seed, estimator: 'least-squares' })).values, worth, 8);
    close((await lime(game, { samples: 100, seed, kernelWidth: 0.25, ridge: 0 })).values, worth, 8);
  });

  it('equal the exact values where all coalitions are listed', async () => {
    const game = teamGame(7, drawTeams(7, 20, 2));
    for (const result of [await shapley(game, { samples: 128, seed }), await kernelShap(game, { samples: 128, seed })]) {
      close(result.values, game.shapley, 8);
      expect(result.convergenceDelta).toBeCloseTo(0, 8);
      expect([...result.standardError!].every(v => v === 0)).toBe(true);
    }
    const found = await banzhaf(game, { samples: 128, p: 0.7, seed, estimator: 'reuse' });
    close(found.values, game.banzhaf(0.7), 8);
    const [all, none] = await game.values(Uint8Array.from([...Array(7).fill(1), ...Array(7).fill(0)]));
    expect(found.convergenceDelta).toBeCloseTo(total(game.banzhaf(0.7)) - (all - none), 8);
  });

  it('values add up to value(all) − value(none) for sampled Shapley and KernelSHAP', async () => {
    const game = teamGame(14, drawTeams(14, 30, 3));
    for (const result of [await shapley(game, { samples: 300, seed }), await kernelShap(game, { samples: 300, seed })])
      expect(Math.abs(result.convergenceDelta!)).toBeLessThan(1e-9);
  });

  const n = 14;
  const game = teamGame(n, drawTeams(n, 40, 4));
  const estimators: Record<string, { want: Float64Array; run: (samples: number, seed: number) => Promise<PlayerValues> }> = {
    shapley: { want: game.shapley, run: (samples, seed) => shapley(game, { samples, seed }) },
    'kernel-shap': { want: game.shapley, run: (samples, seed) => kernelShap(game, { samples, seed }) },
    'banzhaf by reuse': { want: game.banzhaf(0.7), run: (samples, seed) => banzhaf(game, { samples, p: 0.7, seed, estimator: 'reuse' }) },
    'banzhaf by least squares': {
      want: game.banzhaf(0.7),
      run: (samples, seed) => banzhaf(game, { samples, p: 0.7, seed, estimator: 'least-squares' }),
    },
    rise: { want: game.banzhaf(0.4), run: (samples, seed) => rise(game, { samples, p: 0.4, seed }) },
  };
  for (const [name, { want, run }] of Object.entries(estimators))
    it(`${name}: the error falls as 1/√n, and the standard error tells it`, async () => {
      const sizes = [256, 1024, 4096];
      const points: [number, number][] = [];
      for (const samples of sizes) {
        let [squares, reported] = [0, 0];
        for (let seed = 0; seed < 6; seed++) {
          const { values, standardError } = await run(samples, seed);
          squares += total(values.map((v, i) => (v - want[i]) ** 2)) / n / 6;
          reported += total(standardError!.map(v => v * v)) / n / 6;
        }
        points.push([Math.log(samples), Math.log(Math.sqrt(squares))]);
        // 84 estimates: their squared errors are within a third or so of what is told.
        expect(Math.sqrt(reported / squares)).toBeGreaterThan(0.75);
        expect(Math.sqrt(reported / squares)).toBeLessThan(1.35);
      }
      const slope = (points[2][1] - points[0][1]) / (points[2][0] - points[0][0]);
      expect(slope).toBeGreaterThan(-0.65);
      expect(slope).toBeLessThan(-0.35);
    });

  it('shapley takes as many pairs of permutations as its samples pay for: n − 1 coalitions each way, and both ends', () => {
    expect(permutationPairs(2 + 2 * 13 * 11, 14)).toBe(11);
    expect(permutationPairs(1 + 2 * 13 * 11, 14)).toBe(10);
    expect(permutationPairs(3, 14)).toBe(2);
  });

  it('kernel-shap asks for pairs of complements', async () => {
    const asked: string[] = [];
    const watched: Game = {
      players: n,
      values(rows) {
        for (let m = 0; m < rows.length / n; m++) asked.push(rows.subarray(m * n, (m + 1) * n).join(''));
        return game.values(rows);
      },
    };
    await kernelShap(watched, { samples: 60, seed });
    const drawn = asked.filter(row => row.includes('0') && row.includes('1'));
    expect(drawn).toHaveLength(58);
    for (const [k, row] of drawn.entries()) if (k % 2) expect(row).toBe(drawn[k - 1].replace(/./g, v => `${1 - Number(v)}`));
  });

  it('the centred RISE is blind to a constant, the published one is not', async () => {
    const flat: Game = gameOf(5, () => 10);
    expect(Math.max(...(await rise(flat, { samples: 200, p: 0.5, seed })).values.map(Math.abs))).toBeLessThan(1e-12);
    const published = await rise(flat, { samples: 200, p: 0.5, seed, published: true });
    for (let i = 0; i < 5; i++) expect(Math.abs(published.values[i] - 10)).toBeLessThan(4 * published.standardError![i]);
    expect(Math.min(...published.standardError!)).toBeGreaterThan(0.3);
  });

  it('lime weighs coalitions by their cosine distance to the whole', () => {
    expect(limeWeight(4, 4, 0.25)).toBe(1);
    expect(limeWeight(1, 4, 0.25)).toBeCloseTo(Math.exp(-4), 12);
    expect(limeWeight(0, 4, 0.25)).toBeCloseTo(Math.exp(-16), 12);
  });

  it('sliding windows: every square once, a player gets the mean over those that hold it', async () => {
    expect(slidingWindows([2, 3], 2)).toEqual([
      [0, 1, 3, 4],
      [1, 2, 4, 5],
    ]);
    const { values } = await occlude(additiveGame([1, 2, 3, 4, 5, 6]), slidingWindows([2, 3], 2));
    close(values, [12, 14, 16, 12, 14, 16]);
  });

  it('one player: every estimator gives the difference of both ends', async () => {
    const single = additiveGame([2], 1);
    close((await occlude(single)).values, [2]);
    close((await shapley(single, { samples: 100, seed })).values, [2]);
    close((await kernelShap(single, { samples: 100, seed })).values, [2]);
    close((await banzhaf(single, { samples: 100, p: 0.5, seed, estimator: 'reuse' })).values, [2]);
    close((await rise(single, { samples: 100, p: 0.5, seed })).values, [2]);
    close((await lime(single, { samples: 1000, seed, kernelWidth: 0.25, ridge: 1 })).values, [2]);
  });

  it('too few samples are refused in one sentence, few ones are called noisy', async () => {
    await expect(banzhaf(game, { samples: 6, p: 0.5, seed, estimator: 'least-squares' })).rejects.toThrow(
      /too few to tell what 14 players/,
    );
    const rough = gameOf(n, has => Math.sin(100 * Array.from({ length: n }, (_, i) => +has(i) * (i + 1)).reduce((a, b) => a + b, 0)));
    expect(noise(await rise(rough, { samples: 50, p: 0.5, seed }))!.noisy).toBe(true);
    expect(noise(await rise(game, { samples: 4000, p: 0.5, seed }))!.noisy).toBe(false);
  });
});
