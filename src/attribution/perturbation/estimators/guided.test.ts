import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../tensor/random.ts';
import { pearson } from '../../../tensor/statistics/rank.ts';
import { additiveGame, type Game } from '../../game.ts';
import { banzhaf } from './banzhaf.ts';
import { exactBanzhaf } from './exact.ts';
import { guidedBanzhaf } from './guided.ts';

const worth = new RandomStream(1, 'test.guided').normals(0, 0, new Float32Array(40));
const drawn = (stream: string, scale: number): Float32Array =>
  new RandomStream(2, stream).normals(0, 0, new Float32Array(40)).map(v => v * scale);
/** A game with noise that belongs to the coalition, as a model's interactions look to a regression. */
const noisy = (scale: number): Game => {
  const plain = additiveGame(worth, 0.3);
  return {
    players: plain.players,
    async values(coalitions) {
      const values = await plain.values(coalitions);
      return values.map((v, m) => {
        let hash = 7;
        for (let i = 0; i < 40; i++) hash = (hash * 31 + coalitions[m * 40 + i] * (i + 1)) % 1_000_003;
        return v + scale * Math.sin(hash);
      });
    },
  };
};
const rms = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.sqrt(Array.from(a).reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length);

describe('guided Banzhaf values', () => {
  it('are exact for an additive game with enough coalitions, whatever the guide says', async () => {
    for (const guide of [worth, drawn('wrong', 1), new Float32Array(40), new Float32Array(40).fill(2)]) {
      const { values } = await guidedBanzhaf(additiveGame(worth, 0.3), guide, { samples: 200, p: 0.5, seed: 0 });
      expect(rms(values, worth)).toBeLessThan(0.01);
    }
  });

  it('need fewer coalitions than there are players when the guide is right, of any scale', async () => {
    const options = { samples: 24, p: 0.5, seed: 3 };
    const guide = worth.map((v, i) => 17 * (v + 0.05 * Math.sin(i)));
    const guided = await guidedBanzhaf(noisy(0.3), guide, options);
    const unguided = await guidedBanzhaf(noisy(0.3), new Float32Array(40), options);
    expect(rms(guided.values, worth)).toBeLessThan(0.15);
    expect(rms(guided.values, worth)).toBeLessThan(0.3 * rms(unguided.values, worth));
  });

  it('are no worse than the plain ones when the guide is wrong', async () => {
    for (const samples of [128, 512]) {
      const options = { samples, p: 0.5, seed: 5 };
      const guided = await guidedBanzhaf(noisy(0.5), drawn('wrong', 1), options);
      const plain = await banzhaf(noisy(0.5), { ...options, estimator: 'least-squares' });
      expect(rms(guided.values, worth)).toBeLessThan(1.15 * rms(plain.values, worth));
      expect(pearson(guided.values, worth)).toBeGreaterThan(0.8);
    }
  });

  it('refuse no small budget, where the plain ones do: complements tell half as many differences as there are coalitions', async () => {
    const options = { samples: 80, p: 0.5, seed: 5 };
    await expect(banzhaf(noisy(0.1), { ...options, estimator: 'least-squares' })).rejects.toThrow(
      /80 coalitions are too few to tell what 40 players are worth by least squares; take more than 80 samples/,
    );
    expect((await guidedBanzhaf(noisy(0.1), worth, options)).values).toHaveLength(40);
  });

  it('have standard errors of the size of the errors', async () => {
    let [inside, all, squares, reported] = [0, 0, 0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const { values, standardError } = await guidedBanzhaf(
        noisy(0.5),
        worth.map(v => v + 0.3),
        { samples: 120, p: 0.5, seed },
      );
      for (let i = 0; i < 40; i++, all++) {
        if (Math.abs(values[i] - worth[i]) < 2.5 * standardError![i]) inside++;
        squares += (values[i] - worth[i]) ** 2;
        reported += standardError![i] ** 2;
      }
    }
    expect(inside / all).toBeGreaterThan(0.85);
    expect(Math.sqrt(reported / squares)).toBeGreaterThan(0.65);
    expect(Math.sqrt(reported / squares)).toBeLessThan(1.5);
  });

  it('are listed where few players have few coalitions', async () => {
    const game = additiveGame([1, -2, 4]);
    const { values, standardError } = await guidedBanzhaf(game, [0, 0, 1], { samples: 8, p: 0.5, seed: 0 });
    expect([...values]).toEqual([1, -2, 4]);
    expect([...standardError!]).toEqual([0, 0, 0]);
    expect([
      ...exactBanzhaf(await game.values(Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1)), 3, 0.5),
    ]).toEqual([1, -2, 4]);
  });
});
