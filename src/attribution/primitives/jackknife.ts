/** @file Standard errors of maps that are a function of averages, such as |mean gradient|: the delete-a-group jackknife. */

/** Groups that samples are dealt to, round and round; more would only cost memory. */
export const GROUPS = 10;

/** Sums of samples per group, and the moments that they give with all groups or without one. */
export class GroupedMoments {
  readonly groups: number;
  private readonly counts: number[];
  private readonly first: Float32Array[];
  private readonly second: Float32Array[] | undefined;
  private count = 0;

  /** @param size elements of a sample; @param samples how many will come; @param squares whether squares are wanted too */
  constructor(size: number, samples: number, squares: boolean) {
    this.groups = Math.max(1, Math.min(GROUPS, samples));
    this.counts = Array(this.groups).fill(0);
    this.first = this.counts.map(() => new Float32Array(size));
    this.second = squares ? this.counts.map(() => new Float32Array(size)) : undefined;
  }

  /** Adds factor ⊙ sample (factor 1 where there is none). */
  add(sample: ArrayLike<number>, factor?: ArrayLike<number>): void {
    const g = this.count++ % this.groups;
    this.counts[g]++;
    const [first, second] = [this.first[g], this.second?.[g]];
    for (let i = 0; i < first.length; i++) {
      const v = factor ? factor[i] * sample[i] : sample[i];
      first[i] += v;
      if (second) second[i] += v * v;
    }
  }

  /** Mean (and mean square) over all samples but those of group `without`. */
  moments(without = -1): { mean: Float64Array; square?: Float64Array; count: number } {
    const total = (sums: readonly Float32Array[]): Float64Array => {
      const out = new Float64Array(sums[0].length);
      for (const [g, groupSum] of sums.entries()) if (g !== without) for (let i = 0; i < out.length; i++) out[i] += groupSum[i];
      return out;
    };
    const count = this.counts.reduce((sum, c, g) => sum + (g === without ? 0 : c), 0);
    return { mean: total(this.first).map(v => v / count), square: this.second && total(this.second).map(v => v / count), count };
  }

  /**
   * Standard error of a map that is read out of the moments: √((G − 1)/G · Σ (θ₋g − θ̄)²) (Shao and Tu, The Jackknife and Bootstrap, 1995).
   * Undefined where too few samples are left without a group.
   * @param readOut the estimate θ from moments
   */
  standardError(readOut: (moments: ReturnType<GroupedMoments['moments']>) => Float32Array): Float32Array | undefined {
    const { groups } = this;
    if (groups < 3) return undefined;
    const without = this.counts.map((_, g) => readOut(this.moments(g)));
    return Float32Array.from(without[0], (_, i) => {
      const mean = without.reduce((sum, t) => sum + t[i], 0) / groups;
      return Math.sqrt(((groups - 1) / groups) * without.reduce((sum, t) => sum + (t[i] - mean) ** 2, 0));
    });
  }
}
