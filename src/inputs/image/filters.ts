/** @file Pillow's resampling filters: their kernels, and the fixed-point weights with which they are applied to one axis. */

/** Filters in the order of their numbers in Pillow (and in `preprocessor_config.json`): 0 is nearest, 3 bicubic. */
export const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
/** Name of a resampling filter. */
export type Filter = (typeof FILTERS)[number];

/** Pillow's accumulators have 32 bits: 8 for the byte, 2 for overshoot, the rest for the weights' fraction. */
export const PRECISION = 22;

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Keys' cubic with a = -1/2 (|x| < 2). */
function cubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
}

const KERNELS: Record<Exclude<Filter, 'nearest'>, { support: number; weight: (x: number) => number }> = {
  box: { support: 0.5, weight: x => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: x => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: x => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0) },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: x => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Weights of one axis for output positions `start .. start + count - 1`: position i reads `counts[i]` inputs from `firsts[i]`. */
export interface Taps {
  readonly firsts: Int32Array;
  readonly counts: Int32Array;
  /** `stride` fixed-point weights per output position. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Taps for resizing an axis of `from` pixels to `to`, of which outputs `start .. start + count - 1` are wanted. */
export function makeTaps(from: number, to: number, filter: Exclude<Filter, 'nearest'>, start: number, count: number): Taps {
  const { support, weight } = KERNELS[filter];
  const scale = from / to;
  // Shrinking widens the kernel, which is what keeps it from aliasing.
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const firsts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    const centre = (start + i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const n = Math.min(from, Math.trunc(centre + reach + 0.5)) - first;
    let sum = 0;
    for (let k = 0; k < n; k++) {
      exact[k] = weight((k + first - centre + 0.5) * (1 / stretch));
      sum += exact[k];
    }
    for (let k = 0; k < n; k++) {
      const fixed = (sum === 0 ? exact[k] : exact[k] / sum) * (1 << PRECISION);
      weights[i * stride + k] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    }
    firsts[i] = first;
    counts[i] = n;
  }
  return { firsts, counts, weights, stride };
}
