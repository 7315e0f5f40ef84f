/** @file LIME (Ribeiro, Singh, Guestrin, KDD 2016): a ridge regression on coalitions, weighed by how near they are to the whole input. */
import { RandomStream } from '../../../tensor/random.ts';
import type { Game } from '../../game.ts';
import { drawCoalitions } from '../coalitions.ts';
import { type Fit, fitValues, regressor } from './least-squares.ts';
import type { PlayerValues } from './player-values.ts';

/** As LIME's own defaults for images, but for the number of samples. */
export interface LimeOptions {
  readonly samples: number;
  readonly seed: number;
  /** w of the kernel exp(−d²/w²). */
  readonly kernelWidth: number;
  readonly ridge: number;
}

/**
 * Weight of a coalition of `size` out of n players: exp(−d²/w²) with the cosine distance to the whole, d = 1 − √(size/n).
 */
export const limeWeight = (size: number, n: number, width: number): number => Math.exp(-(((1 - Math.sqrt(size / n)) / width) ** 2));

/**
 * Coefficients of the regression; the whole input is always among the coalitions, the others are drawn at 1/2 each. A single player has no
 * neighbourhood to weigh: it gets value(all) − value(none), which the kernel and the ridge would press to 0.
 */
export async function lime(game: Game, options: LimeOptions): Promise<PlayerValues & Pick<Fit, 'fit'>> {
  const { samples, seed, kernelWidth, ridge } = options;
  const n = game.players;
  if (n === 1) {
    const [empty, full] = await game.values(Uint8Array.of(0, 1));
    return { values: Float64Array.of(full - empty), standardError: new Float64Array(1), fit: 1, samples: 2 };
  }
  const coalitions = drawCoalitions(new RandomStream(seed, 'lime').reader(0, 0), samples, n, 0.5, false);
  coalitions.fill(1, 0, n);
  const scores = await game.values(coalitions);
  const weights = Float64Array.from({ length: samples }, (_, m) => {
    let size = 0;
    for (let i = 0; i < n; i++) size += coalitions[m * n + i];
    return limeWeight(size, n, kernelWidth);
  });
  const { coefficients, standardError, fit } = fitValues(regressor(coalitions, n, weights, ridge), scores);
  return { values: coefficients.subarray(1), standardError, fit, samples };
}
