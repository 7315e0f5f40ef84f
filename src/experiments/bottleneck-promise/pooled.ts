/** @file What a bottleneck makes of one run of tokens, pooled: means, a sample of the pooled posterior, and divergences from the prior. */
import { RandomStream } from '../../tensor/random.ts';

/** Values of a batch at one block; [tokens of a row, width] are read at `from`. */
export interface PosteriorRows {
  readonly mean: ArrayLike<number>;
  readonly logVariance: ArrayLike<number>;
}

/** Divergences of a posterior from the prior N(0, I), nats. */
export interface PriorNats {
  /** Of all tokens together: the sum of theirs. What bounds the divergence of representations. */
  readonly total: number;
  /** Of the mean over tokens, a Gaussian too, from the prior's mean over as many: a tighter bound for pooled representations. */
  readonly pooled: number;
  /** Mean over tokens and dimensions: what training charges. */
  readonly perDimension: number;
}

/** Divergences of the chosen tokens of a row. @param places of tokens, counted in tokens @param width of a token */
export function priorNats({ mean, logVariance }: PosteriorRows, places: readonly number[], width: number): PriorNats {
  const tokens = places.length;
  let total = 0;
  let pooled = 0;
  for (let k = 0; k < width; k++) {
    let [centre, variance] = [0, 0];
    for (const place of places) {
      const [m, v] = [mean[place * width + k], logVariance[place * width + k]];
      total += (Math.exp(v) - 1 - v + m * m) / 2;
      centre += m / tokens;
      variance += Math.exp(v) / tokens;
    }
    // The mean of T tokens has variance (mean variance) / T, the prior's 1 / T; the factor T cancels in their ratio.
    pooled += (variance - 1 - Math.log(variance) + tokens * centre * centre) / 2;
  }
  return { total, pooled, perDimension: total / (tokens * width) };
}

/** Mean of the chosen tokens. */
export function pooledMean(values: ArrayLike<number>, places: readonly number[], width: number): Float64Array {
  const out = new Float64Array(width);
  for (const place of places) for (let k = 0; k < width; k++) out[k] += values[place * width + k] / places.length;
  return out;
}

/** A draw of the mean over the chosen tokens of z, each from its posterior: exactly distributed, without drawing each token. */
export function pooledSample({ mean, logVariance }: PosteriorRows, places: readonly number[], width: number, sample: number): Float64Array {
  const noise = new RandomStream(0, 'bottleneck-promise').normals(0, sample, new Float32Array(width));
  return pooledMean(mean, places, width).map((m, k) => {
    let variance = 0;
    for (const place of places) variance += Math.exp(logVariance[place * width + k]);
    return m + (Math.sqrt(variance) / places.length) * noise[k];
  });
}
