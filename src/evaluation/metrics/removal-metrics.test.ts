/** @file Metrics read off removal curves, in closed form on additive games, and the drop where half of the players stay. */
import { describe, expect, it } from 'vitest';
import { additiveGame } from '../../attribution/game.ts';
import type { MetricSample } from './metric.ts';
import { areaUnder, counts, descending, removalCurves } from './ranking.ts';
import { judge, patchesSample, wordsSample } from './testing/samples.ts';

const WORTH = [2, -1, 4, 0.5, 1];
const OFFSET = 3;
const FULL = 9.5;
const negative = (map: readonly number[]): number[] => map.map(v => -v);

/** Areas of an additive game: player r (from 0) of n counts for the share of the way on which it is there. */
const areas = (order: readonly number[]): { insertion: number; deletion: number } => {
  const n = order.length;
  return {
    insertion: order.reduce((sum, worth, r) => sum + (worth * (n - r - 0.5)) / n, OFFSET),
    deletion: order.reduce((sum, worth, r) => sum + (worth * (r + 0.5)) / n, OFFSET),
  };
};
const BEST = areas([4, 2, 1, 0.5, -1]);
const WORST = areas([-1, 0.5, 1, 2, 4]);

/** Values of the curve metrics on one map of the game. */
const judged = (names: readonly string[], map: readonly number[], options = {}, of = wordsSample): Promise<number[]> =>
  Promise.all(names.map(name => judge(name, of(map, WORTH, OFFSET), options)));

describe('curves of removal', () => {
  it('run between all and none, the best players first, equal ones in their own order', async () => {
    const { shares, deletion, insertion } = await removalCurves(additiveGame(WORTH, OFFSET), descending(WORTH), 0);
    expect(shares).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(insertion).toEqual([3, 7, 9, 10, 10.5, 9.5]);
    expect(deletion).toEqual([9.5, 5.5, 3.5, 2.5, 2, 3]);
    expect(descending([1, 3, 3, 2, 3])).toEqual([1, 2, 4, 3, 0]);
  });

  it('take equal steps, and the area follows the true shares where steps do not divide the players', async () => {
    expect([counts(49, 4), counts(5, 0), counts(5, 9)]).toEqual([
      [0, 12, 25, 37, 49],
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ]);
    // A straight line has the same area on any partition.
    const { shares, insertion } = await removalCurves(additiveGame([1, 1, 1, 1, 1]), [0, 1, 2, 3, 4], 2);
    expect(shares).toEqual([0, 0.6, 1]);
    expect(areaUnder(insertion, shares)).toBeCloseTo(2.5, 12);
    expect(areaUnder([0, 1, 0], [0, 0.5, 1])).toBe(0.5);
    expect(areaUnder([0, 0, 1, 1, 1], [0, 0.25, 0.5, 0.75, 1])).toBe(0.625);
  });
});

describe('insertion, deletion, MoRF, LeRF, ABPC, AOPC', () => {
  const names = ['insertion', 'deletion', 'morf', 'lerf', 'abpc', 'aopc'];

  it.each([
    ['words', wordsSample],
    ['patches', patchesSample],
  ])('are the closed form for the true worth of %s', async (_, of) => {
    const values = await judged(names, WORTH, { steps: 0 }, of);
    const expected = [BEST.insertion, BEST.deletion, 26 / 6, 49 / 6, BEST.insertion - BEST.deletion, FULL - 26 / 6];
    values.forEach((v, i) => {
      expect(v, names[i]).toBeCloseTo(expected[i], 12);
    });
  });

  it('are clearly worse for the reversed map: both curves change places', async () => {
    const values = await judged(names, negative(WORTH), { steps: 0 });
    const expected = [WORST.insertion, WORST.deletion, 49 / 6, 26 / 6, BEST.deletion - BEST.insertion, FULL - 49 / 6];
    values.forEach((v, i) => {
      expect(v, names[i]).toBeCloseTo(expected[i], 12);
    });
    expect(WORST.insertion).toBeLessThan(BEST.insertion - 2);
  });

  it('lie on the scale from nothing to everything where asked for', async () => {
    const span = FULL - OFFSET;
    const values = await judged(['insertion', 'deletion', 'abpc'], WORTH, { steps: 0, score: 'normalised' });
    const expected = [(BEST.insertion - OFFSET) / span, (BEST.deletion - OFFSET) / span, (BEST.insertion - BEST.deletion) / span];
    values.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 12);
    });
    expect(await judge('insertion', wordsSample([1, 2], [1, -1], 5), { score: 'normalised' })).toBeNaN();
  });

  it('see only the order, and for patches only steps', async () => {
    const scaled = await judged(
      names,
      WORTH.map(v => 10 * v - 3),
      {},
    );
    expect(scaled).toEqual(await judged(names, WORTH));
    // Two steps over patches: 3 of 5, then all; words go one by one all the same.
    expect(await judge('morf', patchesSample(WORTH, WORTH, OFFSET), { steps: 2 })).toBeCloseTo((9.5 + 2.5 + 3) / 3, 12);
    expect(await judge('morf', wordsSample(WORTH, WORTH, OFFSET), { steps: 2 })).toBeCloseTo(26 / 6, 12);
  });

  it('say nothing of a map of one value or one word', async () => {
    for (const map of [
      [0, 0, 0, 0, 0],
      [2, 2, 2, 2, 2],
    ])
      for (const v of await judged([...names, 'aid'], map)) expect(v).toBeNaN();
    expect(await judge('insertion', wordsSample([2], [1]))).toBeNaN();
  });

  it('break ties by position', async () => {
    const tied = await judge('insertion', wordsSample([1, 1, 0], [4, 0, 0]), {});
    expect(tied).toBeCloseTo((4 * 2.5) / 3, 12);
    expect(await judge('insertion', wordsSample([1, 1, 0], [0, 4, 0]), {})).toBeCloseTo((4 * 1.5) / 3, 12);
  });

  it('ask for the removal of the options', async () => {
    const asked: string[] = [];
    const game: MetricSample['game'] = removal => {
      asked.push(removal);
      return additiveGame(WORTH);
    };
    await judge('insertion', { ...patchesSample(WORTH, WORTH), game }, { removal: 'blur', textRemoval: 'delete' });
    await judge('insertion', { ...wordsSample(WORTH, WORTH), game }, { removal: 'blur', textRemoval: 'delete' });
    await judge('insertion', { ...patchesSample(WORTH, WORTH), game });
    await judge('insertion', { ...wordsSample(WORTH, WORTH), game });
    expect(asked).toEqual(['blur', 'delete', 'mean', 'mask']);
  });
});

describe('AID', () => {
  it('is ABPC on the scale of the pair over 50 steps; one player that is all gives almost 1, its reverse almost −1', async () => {
    const span = FULL - OFFSET;
    expect(await judge('aid', patchesSample(WORTH, WORTH, OFFSET))).toBeCloseTo((BEST.insertion - BEST.deletion) / span, 12);
    const one = Array.from({ length: 50 }, (_, i) => (i === 31 ? 2 : 0));
    expect(await judge('aid', patchesSample(one, one, OFFSET))).toBeCloseTo(0.98, 12);
    expect(await judge('aid', patchesSample(negative(one), one, OFFSET))).toBeCloseTo(-0.98, 12);
  });

  it('is not fooled by an offset or a scale, and has no steps to choose', async () => {
    const sample = patchesSample(
      WORTH,
      WORTH.map(v => 7 * v),
      -40,
    );
    await expect(judge('aid', sample, { steps: 2 })).rejects.toThrow('aid is wrong');
    expect(await judge('aid', sample)).toBeCloseTo((BEST.insertion - BEST.deletion) / (FULL - OFFSET), 12);
  });
});

describe('average drop and increase in confidence', () => {
  it('compare the best half with all', async () => {
    // Four of eight stay: 4 + 3 + 2 + 1 of 10, with an offset of 2.
    const worth = [1, 0, 4, 0, 3, 0, 2, 0];
    expect(await judge('average-drop', patchesSample(worth, worth, 2))).toBe(0);
    expect(await judge('average-drop', patchesSample(worth, worth, 2), { kept: 0.25 })).toBeCloseTo((100 * 3) / 12, 12);
    expect(await judge('average-drop', patchesSample(negative(worth), worth, 2), { kept: 0.25 })).toBeCloseTo((100 * 10) / 12, 12);
    expect(await judge('increase-in-confidence', patchesSample(worth, worth, 2))).toBe(0);
  });

  it('compare scores of any size, cosines below one too', async () => {
    const worth = [0.01, 0.04, 0.03, 0.02];
    expect(await judge('average-drop', patchesSample(worth, worth, 0.02))).toBeCloseTo((100 * 3) / 12, 10);
    expect(await judge('average-drop', wordsSample(negative(worth), worth, 0.02))).toBeCloseTo((100 * 7) / 12, 10);
    expect(await judge('increase-in-confidence', wordsSample([0.03, -0.01], [0.03, -0.01]))).toBe(100);
  });

  it('count an increase where what went was worth less than nothing', async () => {
    const worth = [3, -1, 2, -2];
    expect(await judge('increase-in-confidence', wordsSample(worth, worth, 1))).toBe(100);
    expect(await judge('average-drop', wordsSample(worth, worth, 1))).toBe(0);
    expect(await judge('increase-in-confidence', wordsSample(negative(worth), worth, 1))).toBe(0);
  });

  it('are not defined for a map without order, and the drop not for a score that is not positive', async () => {
    for (const name of ['average-drop', 'increase-in-confidence']) {
      expect(await judge(name, wordsSample([1, 1], [1, 2]))).toBeNaN();
      expect(await judge(name, wordsSample([1], [1]))).toBeNaN();
    }
    expect(await judge('average-drop', wordsSample([2, 1], [1, 2], -3))).toBeNaN();
    expect(await judge('average-drop', wordsSample([2, 1], [1, 2], -4))).toBeNaN();
    expect(await judge('increase-in-confidence', wordsSample([2, 1], [1, -2], -4))).toBe(100);
  });

  it('keep at least one word', async () => {
    expect(await judge('average-drop', wordsSample([1, 2, 3], [1, 2, 5]), { kept: 0.01 })).toBeCloseTo((100 * 3) / 8, 12);
  });
});
