/** @file Mean and deviation per channel of hidden states: what "noise" looks like at a layer (Schulz et al., IBA, arXiv 2001.00396). */
import { NarrowsError } from '../system/errors.ts';

/** Per channel, [D]. */
export interface ChannelStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** Smallest deviation: a channel that never varies must not divide by zero (IBA's min_std). */
export const MIN_DEVIATION = 0.01;

/**
 * Statistics of one sample over its own tokens.
 * @param hidden rows of width D
 */
export function sampleStatistics(hidden: Float32Array, width: number): ChannelStatistics {
  const running = new RunningStatistics(width);
  running.update(hidden);
  return running.result();
}

/** Welford's algorithm per channel over any number of rows: statistics of a data set in one pass. */
export class RunningStatistics {
  count = 0;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array;
  constructor(private readonly width: number) {
    this.mean = new Float64Array(width);
    this.squares = new Float64Array(width);
  }

  /** Takes in rows of width D. @throws NarrowsError for values that are not finite */
  update(rows: Float32Array): void {
    for (let at = 0; at < rows.length; at += this.width) {
      this.count++;
      for (let d = 0; d < this.width; d++) {
        const delta = rows[at + d] - this.mean[d];
        this.mean[d] += delta / this.count;
        this.squares[d] += delta * (rows[at + d] - this.mean[d]);
      }
    }
    if (!this.mean.every(Number.isFinite)) throw new NarrowsError('A hidden state has NaN or infinite values; is the checkpoint damaged?');
  }

  /** Unbiased deviations, at least `MIN_DEVIATION`. @throws NarrowsError after fewer than two rows */
  result(): ChannelStatistics {
    if (this.count < 2) throw new NarrowsError('Statistics need at least two tokens; use normalisation "none" for a single one.');
    const deviation = Float32Array.from(this.squares, s => Math.max(MIN_DEVIATION, Math.sqrt(s / (this.count - 1))));
    return { mean: Float32Array.from(this.mean), deviation };
  }
}
