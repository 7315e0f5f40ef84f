/** @file Enlarging maps and position embeddings as PyTorch's `interpolate(align_corners=False)` without antialiasing. No Node imports. */

const { fround } = Math;

/** For each output position of an axis: the position it reads, in float32 as in PyTorch. */
function sources(from: number, to: number): Float32Array {
  const scale = fround(from / to);
  return Float32Array.from({ length: to }, (_, i) => fround(fround(scale * (i + 0.5)) - 0.5));
}

/**
 * Bilinear resampling of a map, `interpolate(mode='bilinear', align_corners=False)`. Beyond the outer centres the border is kept.
 * @param data h x w values, row by row.
 * @param from [h, w].
 * @param to [H, W].
 * @returns H x W values.
 */
export function upsampleBilinear(data: Float32Array, [h, w]: readonly [number, number], [H, W]: readonly [number, number]): Float32Array {
  const out = new Float32Array(H * W);
  const xs = sources(w, W).map(x => Math.max(x, 0));
  const ys = sources(h, H).map(y => Math.max(y, 0));
  for (let i = 0; i < H; i++) {
    const y0 = Math.trunc(ys[i]);
    const down = fround(ys[i] - y0);
    const upper = y0 * w;
    const lower = Math.min(y0 + 1, h - 1) * w;
    for (let j = 0; j < W; j++) {
      const x0 = Math.trunc(xs[j]);
      const x1 = Math.min(x0 + 1, w - 1);
      const right = fround(xs[j] - x0);
      const left = fround(1 - right);
      const above = fround(fround(left * data[upper + x0]) + fround(right * data[upper + x1]));
      const below = fround(fround(left * data[lower + x0]) + fround(right * data[lower + x1]));
      out[i * W + j] = fround(fround(1 - down) * above) + fround(down * below);
    }
  }
  return out;
}

/** Four weights of Keys' cubic with a = -3/4 (PyTorch's; Pillow's is -1/2) for a position `t` past the second tap. */
function cubicWeights(t: number): [number, number, number, number] {
  const near = (x: number) => (1.25 * x - 2.25) * x * x + 1;
  const far = (x: number) => (((x - 5) * x + 8) * x - 4) * -0.75;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** First tap (may lie outside) and weights of each output position. */
const cubicTaps = (from: number, to: number) =>
  Array.from(sources(from, to), x => ({ first: Math.floor(x) - 1, weights: cubicWeights(fround(x - Math.floor(x))) }));

/**
 * Bicubic resampling of a grid of vectors, `interpolate(mode='bicubic', align_corners=False)`, as transformers enlarges position
 * embeddings (the class token's set aside). Indices outside are clamped to the border; weights and sums are float64.
 * @param data h x w x channels, channels last.
 * @returns H x W x channels.
 */
export function resampleBicubic(data: Float32Array, h: number, w: number, channels: number, H: number, W: number): Float32Array {
  const out = new Float32Array(H * W * channels);
  const across = cubicTaps(w, W);
  const down = cubicTaps(h, H);
  const clamp = (i: number, n: number) => Math.min(Math.max(i, 0), n - 1);
  const sum = new Float64Array(channels);
  for (let i = 0; i < H; i++) {
    for (let j = 0; j < W; j++) {
      sum.fill(0);
      for (let k = 0; k < 16; k++) {
        const weight = down[i].weights[k >> 2] * across[j].weights[k & 3];
        const y = clamp(down[i].first + (k >> 2), h);
        const at = (y * w + clamp(across[j].first + (k & 3), w)) * channels;
        for (let c = 0; c < channels; c++) sum[c] += weight * data[at + c];
      }
      out.set(sum, (i * W + j) * channels);
    }
  }
  return out;
}

/** Weights of the triangle filter over one axis, for each output: PyTorch's `antialias=True` widens the triangle where it shrinks. */
function triangleTaps(from: number, to: number): { first: number; weights: number[] }[] {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) => Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / reach)));
    const total = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map(v => v / total) };
  });
}

/**
 * Bilinear resampling of a grid of vectors with antialiasing, `interpolate(mode='bilinear', align_corners=False, antialias=True)`, as SigLIP 2's
 * NaFlex models bring position embeddings to a picture's grid. Weights and sums are float64.
 * @param data h x w x channels, channels last.
 * @returns H x W x channels.
 */
export function resampleBilinear(data: Float32Array, h: number, w: number, channels: number, H: number, W: number): Float32Array {
  const out = new Float32Array(H * W * channels);
  const across = triangleTaps(w, W);
  const down = triangleTaps(h, H);
  const sum = new Float64Array(channels);
  for (let i = 0; i < H; i++)
    for (let j = 0; j < W; j++) {
      sum.fill(0);
      down[i].weights.forEach((wy, y) => {
        across[j].weights.forEach((wx, x) => {
          const at = ((down[i].first + y) * w + across[j].first + x) * channels;
          for (let c = 0; c < channels; c++) sum[c] += wy * wx * data[at + c];
        });
      });
      out.set(sum, (i * W + j) * channels);
    }
  return out;
}
