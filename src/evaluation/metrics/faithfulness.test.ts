/** @file Faithfulness on random coalitions: p-faithfulness, sensitivity-n, infidelity, SaCo on games whose answer is known. */
import { describe, expect, it } from 'vitest';
import { additiveGame, type Game } from '../../attribution/game.ts';
import { bernoulliCoalitions, complement, subsets, sumsOver } from './coalitions.ts';
import { judge, patchesSample, wordsSample } from './testing/samples.ts';

const WORTH = [2, -1, 4, 0.5, 1, -3, 0.25, 8];
const NAMES = ['p-faithfulness', 'sensitivity-n', 'saco'];
const negative = WORTH.map(v => -v);
/** The worth, each given to its neighbour. */
const shifted = [...WORTH.slice(1), WORTH[0]];

describe('coalitions', () => {
  it('are the same for the same key, and others for another', () => {
    const draw = (key: number): number[] => [...bernoulliCoalitions(20, 8, 0.5, key, 'x')];
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(subsets(20, 8, 3, 1, 'x')).toEqual(subsets(20, 8, 3, 1, 'x'));
    expect(subsets(20, 8, 3, 1, 'x')).not.toEqual(subsets(20, 8, 3, 2, 'x'));
  });

  it('hold players with probability p, subsets exactly as many as asked for, each player as often', () => {
    const count = bernoulliCoalitions(1000, 10, 0.3, 0, 'x').reduce((a, b) => a + b, 0);
    expect(Math.abs(count - 3000)).toBeLessThan(4 * Math.sqrt(10000 * 0.3 * 0.7));
    const chosen = subsets(2000, 5, 2, 0, 'x');
    for (let m = 0; m < 2000; m++) expect(chosen.subarray(5 * m, 5 * m + 5).reduce((a, b) => a + b, 0)).toBe(2);
    for (let i = 0; i < 5; i++) {
      let picked = 0;
      for (let m = 0; m < 2000; m++) picked += chosen[5 * m + i];
      expect(Math.abs(picked - 800)).toBeLessThan(4 * Math.sqrt(2000 * 0.4 * 0.6));
    }
    expect([...sumsOver([1, 2, 4], Uint8Array.of(1, 0, 1, 0, 1, 1))]).toEqual([5, 6]);
    expect([...complement(Uint8Array.of(1, 0, 1))]).toEqual([0, 1, 0]);
  });
});

describe.each(NAMES)('%s', name => {
  it.each([
    ['words', wordsSample],
    ['patches', patchesSample],
  ])('is 1 for the true worth of %s, −1 for its negative, whatever scale and offset', async (_, of) => {
    expect(await judge(name, of(WORTH, WORTH))).toBeCloseTo(1, 9);
    expect(
      await judge(
        name,
        of(
          WORTH,
          WORTH.map(v => 3 * v),
          5,
        ),
      ),
    ).toBeCloseTo(1, 9);
    expect(await judge(name, of(negative, WORTH, -2))).toBeCloseTo(-1, 9);
  });

  it('is clearly below 1 for another order', async () => {
    expect(await judge(name, wordsSample(shifted, WORTH))).toBeLessThan(0.6);
  });

  it('is not defined for a map of one value, zeros, or one word', async () => {
    // Sums of a constant over coalitions of any size still say how many are there.
    if (name !== 'p-faithfulness')
      expect(
        await judge(
          name,
          wordsSample(
            WORTH.map(() => 1),
            WORTH,
          ),
        ),
      ).toBeNaN();
    expect(
      await judge(
        name,
        wordsSample(
          WORTH.map(() => 0),
          WORTH,
        ),
      ),
    ).toBeNaN();
    if (name !== 'p-faithfulness') expect(await judge(name, wordsSample([1], [1]))).toBeNaN();
  });

  it('draws by the key of the sample', async () => {
    const sample = wordsSample(shifted, WORTH);
    expect(await judge(name, sample)).toBe(await judge(name, { ...sample }));
    if (name !== 'saco') expect(await judge(name, { ...sample, key: 8 })).not.toBe(await judge(name, sample));
  });
});

describe('p-faithfulness', () => {
  it('squares the correlation as r2, with 0 for a reversed map, and looks at ranks as spearman', async () => {
    expect(await judge('p-faithfulness', wordsSample(WORTH, WORTH), { measure: 'r2' })).toBeCloseTo(1, 9);
    expect(await judge('p-faithfulness', wordsSample(negative, WORTH), { measure: 'r2' })).toBe(0);
    const r = await judge('p-faithfulness', wordsSample(shifted, WORTH));
    expect(await judge('p-faithfulness', wordsSample(shifted, WORTH), { measure: 'r2' })).toBeCloseTo(Math.max(0, r) ** 2, 12);
    const exp: Game = { players: 8, values: async rows => (await additiveGame(WORTH).values(rows)).map(Math.exp) };
    const bent = { ...wordsSample(WORTH, WORTH), game: () => exp };
    expect(await judge('p-faithfulness', bent, { measure: 'spearman' })).toBeCloseTo(1, 9);
    expect(await judge('p-faithfulness', bent)).toBeLessThan(0.9);
  });

  it('as determination asks for the units of the score too: 1 for the true worth, 0 for zeros, 1 − 4 for its negative', async () => {
    const of = (map: readonly number[]): Promise<number> =>
      judge('p-faithfulness', wordsSample(map, WORTH, 5), { measure: 'determination' });
    expect(await of(WORTH)).toBeCloseTo(1, 9);
    expect(await of(WORTH.map(() => 0))).toBeCloseTo(0, 9);
    expect(await of(WORTH.map(v => 2 * v))).toBeCloseTo(0, 9);
    expect(await of(negative)).toBeCloseTo(-3, 9);
    expect(await judge('p-faithfulness', wordsSample([1, 2], [0, 0], 3), { measure: 'determination' })).toBeNaN();
  });

  it('is the correlation with the number of players for a constant map, NaN for a game of one value', async () => {
    expect(await judge('p-faithfulness', wordsSample([1, 1, 1, 1], [2, 2, 2, 2]))).toBeCloseTo(1, 9);
    expect(await judge('p-faithfulness', wordsSample([1, 2, 3, 4], [0, 0, 0, 0], 2))).toBeNaN();
  });
});

describe('sensitivity-n', () => {
  it('takes subsets of the share of the players', async () => {
    let sizes = new Set<number>();
    const game: Game = {
      players: 8,
      async values(rows) {
        sizes = new Set(Array.from({ length: rows.length / 8 }, (_, m) => rows.subarray(8 * m, 8 * m + 8).reduce((a, b) => a + b, 0)));
        return additiveGame(WORTH).values(rows);
      },
    };
    await judge('sensitivity-n', { ...wordsSample(WORTH, WORTH), game: () => game }, { share: 0.4 });
    expect([...sizes]).toEqual([5]);
    await judge('sensitivity-n', { ...wordsSample(WORTH, WORTH), game: () => game }, { share: 0.99 });
    expect([...sizes]).toEqual([1]);
  });
});

describe('infidelity', () => {
  it('is 0 for the true worth, and for any multiple where the map is scaled', async () => {
    expect(await judge('infidelity', wordsSample(WORTH, WORTH, 4), { scale: 'none' })).toBe(0);
    expect(
      await judge(
        'infidelity',
        patchesSample(
          WORTH.map(v => 4 * v),
          WORTH,
          4,
        ),
      ),
    ).toBeCloseTo(0, 20);
    expect(
      await judge(
        'infidelity',
        wordsSample(
          WORTH.map(v => 4 * v),
          WORTH,
          4,
        ),
        { scale: 'none' },
      ),
    ).toBeGreaterThan(1);
  });

  it('is what a map of zeros leaves: the mean square of what removals take; twice the worth is as far off as zeros', async () => {
    const zeros = await judge(
      'infidelity',
      wordsSample(
        WORTH.map(() => 0),
        WORTH,
      ),
    );
    const removed = bernoulliCoalitions(64, 8, 0.25, 7, 'metric.infidelity');
    const expected = sumsOver(WORTH, removed).reduce((sum, v) => sum + v * v, 0) / 64;
    expect(zeros).toBeCloseTo(expected, 10);
    expect(
      await judge(
        'infidelity',
        wordsSample(
          WORTH.map(v => 2 * v),
          WORTH,
        ),
        { scale: 'none' },
      ),
    ).toBeCloseTo(expected, 10);
    expect(await judge('infidelity', wordsSample(negative, WORTH), { scale: 'none' })).toBeCloseTo(4 * expected, 9);
  });

  it('is worse for another map, and never worse with the best scale than without', async () => {
    const best = await judge('infidelity', wordsSample(shifted, WORTH));
    expect(best).toBeGreaterThan(1);
    expect(best).toBeLessThanOrEqual(await judge('infidelity', wordsSample(shifted, WORTH), { scale: 'none' }));
  });

  it('takes a single word', async () => {
    expect(await judge('infidelity', wordsSample([2], [2]), { scale: 'none' })).toBe(0);
  });
});

describe('SaCo', () => {
  it('weighs disagreements by how far apart the groups are on the map', async () => {
    // Groups of one: 3 against 2 disagrees (weight 1), 3 against 0 and 2 against 0 agree (3 and 2).
    expect(await judge('saco', wordsSample([3, 2, 0], [4, 5, 1]))).toBeCloseTo((-1 + 3 + 2) / 6, 12);
  });

  it('sums over groups of equal size', async () => {
    // Two groups {3, 2} and {1, 0}: 5 against 1 on the map, 1 against 2 in the game.
    expect(await judge('saco', wordsSample([3, 2, 1, 0], [1, 0, 0, 2]), { groups: 2 })).toBe(-1);
    expect(await judge('saco', wordsSample([3, 2, 1, 0], [1, 2, 0, 2]), { groups: 2 })).toBe(1);
  });

  it('counts equal falls as agreement, as the paper does', async () => {
    expect(await judge('saco', wordsSample([2, 1], [5, 5]))).toBe(1);
  });
});
