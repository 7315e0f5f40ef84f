/** @file Bootstrap intervals of many means: the resamples of a sample size are drawn once and serve every sample of that size. */
import { type BootstrapOptions, bootstrapInterval, type Estimate } from './bootstrap.ts';
import { mean, standardDeviation } from './descriptive.ts';

/** Sizes whose resamples are kept: comparisons meet a few sizes again and again, but a NaN here and there makes new ones. */
const KEPT = 4;

/** Intervals of means, equal to those of `bootstrap(values, mean, options)` but for rounding, in a fraction of the time. */
export class MeanBootstrap {
  private readonly draws = new Map<number, Uint32Array | Uint16Array>();
  private readonly resamples: number;

  constructor(private readonly options: BootstrapOptions) {
    this.resamples = options.resamples ?? 2000;
  }

  /** The mean with its interval; fewer than two values give NaN bounds. */
  interval(values: ArrayLike<number>): Estimate {
    const { level = 0.95, method = 'bca' } = this.options;
    const n = values.length;
    const estimate = mean(values);
    if (n < 2) return { estimate, low: Number.NaN, high: Number.NaN, level, standardError: Number.NaN };
    const indices = this.indices(n);
    // Deviations from the mean: plain sums of them lose nothing.
    const deviations = Float64Array.from(values, v => v - estimate);
    // Resamples that equal the sample up to rounding are ties, as BCa's count of them needs it.
    const rounding = 1e-13 * deviations.reduce((total, d) => total + Math.abs(d), 0);
    const replicates = new Float64Array(this.resamples);
    for (let r = 0, at = 0; r < this.resamples; r++) {
      let [even, odd] = [0, 0];
      const end = at + n;
      for (; at < end - 1; at += 2) {
        even += deviations[indices[at]];
        odd += deviations[indices[at + 1]];
      }
      if (at < end) even += deviations[indices[at++]];
      const total = even + odd;
      replicates[r] = Math.abs(total) <= rounding ? estimate : estimate + total / n;
    }
    const leftOut = method === 'bca' ? deviations.map(d => estimate - d / (n - 1)) : undefined;
    const [low, high] = bootstrapInterval(estimate, replicates, level, leftOut);
    return { estimate, low, high, level, standardError: standardDeviation(replicates) };
  }

  private indices(n: number): Uint32Array | Uint16Array {
    const found = this.draws.get(n);
    if (found) return found;
    const { random, step = 0 } = this.options;
    const indices = n < 65536 ? new Uint16Array(this.resamples * n) : new Uint32Array(this.resamples * n);
    const words = new Uint32Array(n);
    for (let r = 0, at = 0; r < this.resamples; r++) {
      random.words(step, r, words);
      for (let i = 0; i < n; i++) indices[at++] = Math.floor(words[i] * 2 ** -32 * n);
    }
    if (this.draws.size >= KEPT) this.draws.delete(this.draws.keys().next().value!);
    this.draws.set(n, indices);
    return indices;
  }
}
