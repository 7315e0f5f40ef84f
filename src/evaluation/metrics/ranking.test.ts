import { describe, expect, it } from 'vitest';
import { additiveGame, type Game } from '../../attribution/game.ts';
import { areaUnder, counts, removalCurve, removalCurves } from './ranking.ts';

describe('removal curves', () => {
  const worth = [1, 8, 2, 4];
  const game = additiveGame(worth, 0);

  it('begin with the best of a map: deletion falls from all, insertion rises from none', async () => {
    expect(await removalCurve(game, [0.1, 0.9, 0.2, 0.3])).toEqual({
      shares: [0, 0.25, 0.5, 0.75, 1],
      deletion: [15, 7, 3, 1, 0],
      insertion: [0, 8, 12, 14, 15],
    });
    // The same map upside down is the worst one.
    expect(await removalCurve(game, [0.9, 0.1, 0.8, 0.7])).toMatchObject({ deletion: [15, 14, 12, 8, 0], insertion: [0, 1, 3, 7, 15] });
  });

  it('follow a given order, in few steps too; equals keep their order', async () => {
    expect(await removalCurves(game, [3, 0, 1, 2], 2)).toEqual({ shares: [0, 0.5, 1], deletion: [15, 10, 0], insertion: [0, 5, 15] });
    expect(await removalCurve(game, [1, 1, 1, 1])).toMatchObject({ insertion: [0, 1, 9, 11, 15] });
  });

  it('take out and put in the same players, whatever the game', async () => {
    const asked: number[][] = [];
    const watching: Game = {
      players: 3,
      async values(rows) {
        for (let m = 0; m < rows.length / 3; m++) asked.push([...rows.subarray(3 * m, 3 * m + 3)]);
        return new Float64Array(rows.length / 3);
      },
    };
    await removalCurve(watching, [5, 9, 7]);
    expect(asked.slice(0, 4)).toEqual([
      [1, 1, 1],
      [1, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ]);
    expect(asked.slice(4)).toEqual(asked.slice(0, 4).map(row => row.map(v => 1 - v)));
  });
});

it('counts are equal steps with both ends', () => {
  expect(counts(10, 4)).toEqual([0, 3, 5, 8, 10]);
  expect(counts(3, 0)).toEqual([0, 1, 2, 3]);
  expect(counts(3, 8)).toEqual([0, 1, 2, 3]);
});

it('the area is of trapezoids over the shares', () => {
  expect(areaUnder([0, 1])).toBe(0.5);
  expect(areaUnder([0, 4, 4])).toBe(3);
  expect(areaUnder([0, 4, 4], [0, 0.25, 1])).toBe(3.5);
});
