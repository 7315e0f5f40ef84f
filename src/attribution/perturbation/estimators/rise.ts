/** @file RISE's estimators on games (Petsiuk, Das, Saenko, BMVC 2018): how the value goes with a player's presence. */
import { RandomStream } from '../../../tensor/random.ts';
import type { Game } from '../../game.ts';
import { drawCoalitions } from '../coalitions.ts';
import { type PlayerValues, total } from './player-values.ts';

/** How masks are drawn and weighed. */
export interface RiseOptions {
  readonly samples: number;
  /** Probability that a player is there. */
  readonly p: number;
  readonly seed: number;
  /** The published sum Σ f·M / (N·p), whose level is the mean value and whose noise is the masks' density. */
  readonly published?: boolean;
}

/**
 * Centred: S_i = Σ_m (f_m − f̄)(M_mi − p) / (N·p·(1 − p)), which estimates E[f | i there] − E[f | i away], the Banzhaf value at p.
 * Masks come in antithetic pairs.
 */
export async function rise(game: Game, options: RiseOptions): Promise<PlayerValues> {
  const { samples, p, seed, published = false } = options;
  const n = game.players;
  const cluster = published ? 1 : 2;
  const coalitions = drawCoalitions(new RandomStream(seed, 'rise').reader(0, 0), samples, n, p, !published);
  const scores = await game.values(coalitions);
  const mean = total(scores) / samples;
  const values = new Float64Array(n);
  const standardError = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const term = (m: number): number => {
      const mask = coalitions[m * n + i];
      return published ? (scores[m] * mask) / p : ((scores[m] - mean) * (mask - p)) / (p * (1 - p));
    };
    const sums = new ClusterSums();
    for (let m = 0; m < samples; m += cluster) {
      let part = 0;
      for (let k = m; k < Math.min(samples, m + cluster); k++) part += term(k);
      sums.add(part);
    }
    values[i] = sums.sum / samples;
    standardError[i] = sums.errorOfSum() / samples;
  }
  return { values, standardError, samples };
}

/** Sums of independent terms, with the standard error of their sum. */
export class ClusterSums {
  sum = 0;
  private squares = 0;
  private count = 0;

  add(term: number): void {
    this.sum += term;
    this.squares += term * term;
    this.count++;
  }

  errorOfSum(): number {
    if (this.count < 2) return 0;
    const variance = Math.max(0, this.squares - this.sum ** 2 / this.count) / (this.count - 1);
    return Math.sqrt(variance * this.count);
  }
}
