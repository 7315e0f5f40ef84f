/** @file The factorised fit against a dense one, against exact interactions, and its standard errors and memory. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../tensor/random.ts';
import { floats } from '../../../tensor/tensor.ts';
import { allCoalitions, bernoulliWeights, drawCoalitions } from '../coalitions.ts';
import { crossValues } from '../games.ts';
import { cholesky, solveCholesky } from './cholesky.ts';
import { exactBanzhaf, exactBanzhafPairs } from './exact.ts';
import { fitInteractions, type MaskedSide, predictInteractions } from './interactions.ts';

const WIDTH = 5;

/** Features that depend on coalitions in no simple way: a random two-layer network of them. */
function featureOf(coalitions: Uint8Array, n: number, seed: number): ReturnType<typeof floats> {
  const weights = new RandomStream(seed, 'test.network').normals(0, 0, new Float32Array(n * 8 + 8 * WIDTH));
  const count = coalitions.length / n;
  const out = new Float32Array(count * WIDTH);
  for (let m = 0; m < count; m++) {
    const inner = Array.from({ length: 8 }, (_, h) => {
      let sum = 0.3;
      for (let i = 0; i < n; i++) sum += coalitions[m * n + i] * weights[i * 8 + h];
      return Math.tanh(sum);
    });
    for (let e = 0; e < WIDTH; e++) out[m * WIDTH + e] = inner.reduce((s, v, h) => s + v * weights[n * 8 + h * WIDTH + e], 0);
  }
  return floats([count, WIDTH], out);
}

const drawn = (n: number, count: number, p: number, seed: number, antithetic = true): MaskedSide => {
  const coalitions = drawCoalitions(new RandomStream(seed, `test.masks.${n}`).reader(0, 0), count, n, p, antithetic);
  return { players: n, coalitions, features: featureOf(coalitions, n, n) };
};

const listed = (n: number, p: number): MaskedSide => {
  const coalitions = allCoalitions(n);
  return { players: n, coalitions, features: featureOf(coalitions, n, n), weights: bernoulliWeights(n, p) };
};

/** Weighted least squares by a dense design over all pairs of masks: coefficients by the products' players, and R². */
function dense(image: MaskedSide, text: MaskedSide, within: boolean): { coefficient: (...players: number[]) => number; fit: number } {
  const [n, k] = [image.players, text.players];
  const terms: number[][] = [[], ...Array.from({ length: n + k }, (_, i) => [i])];
  for (let i = 0; i < n + k; i++) for (let j = i + 1; j < n + k; j++) if (within || (i < n && j >= n)) terms.push([i, j]);
  const values = crossValues(image.features, text.features);
  const q = terms.length;
  const gram = new Float64Array(q * q);
  const moment = new Float64Array(q);
  const rows: { x: number[]; w: number; v: number }[] = [];
  const [m, t] = [image.features.shape[0], text.features.shape[0]];
  for (let a = 0; a < m; a++)
    for (let b = 0; b < t; b++) {
      const has = (i: number): number => (i < n ? image.coalitions[a * n + i] : text.coalitions[b * k + i - n]);
      const x = terms.map(term => term.reduce((product, i) => product * has(i), 1));
      const w = (image.weights?.[a] ?? 1) * (text.weights?.[b] ?? 1);
      rows.push({ x, w, v: values[a * t + b] });
      for (let i = 0; i < q; i++) {
        moment[i] += w * x[i] * values[a * t + b];
        for (let j = 0; j < q; j++) gram[i * q + j] += w * x[i] * x[j];
      }
    }
  const found = solveCholesky(cholesky(gram, q), q, moment);
  const all = rows.reduce((s, r) => s + r.w, 0);
  const mean = rows.reduce((s, r) => s + r.w * r.v, 0) / all;
  const left = rows.reduce((s, r) => s + r.w * (r.v - r.x.reduce((p, x, i) => p + x * found[i], 0)) ** 2, 0);
  const spread = rows.reduce((s, r) => s + r.w * (r.v - mean) ** 2, 0);
  return { coefficient: (...players) => found[terms.findIndex(term => term.join() === players.join())], fit: 1 - left / spread };
}

describe('factorised interactions', () => {
  const [n, k] = [5, 3];
  for (const within of [false, true])
    for (const [name, text] of [
      ['drawn', drawn(k, 24, 0.6, 2)],
      ['listed', listed(k, 0.6)],
    ] as const)
      it(`equal dense weighted least squares (texts ${name}, pairs within a side: ${within})`, () => {
        const image = drawn(n, 60, 0.6, 1);
        const got = fitInteractions(image, text, 0.6, within);
        const want = dense(image, text, within);
        expect(got.intercept).toBeCloseTo(want.coefficient(), 8);
        for (let i = 0; i < n; i++) expect(got.image[i]).toBeCloseTo(want.coefficient(i), 8);
        for (let j = 0; j < k; j++) expect(got.text[j]).toBeCloseTo(want.coefficient(n + j), 8);
        for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) expect(got.cross[i * k + j]).toBeCloseTo(want.coefficient(i, n + j), 8);
        if (within) {
          expect(got.imagePairs[1]).toBeCloseTo(want.coefficient(0, 1), 8);
          expect(got.textPairs[1 * k + 2]).toBeCloseTo(want.coefficient(n + 1, n + 2), 8);
        }
        expect(got.fit).toBeCloseTo(want.fit, 8);
        // Predictions on the same masks leave the same residuals.
        const values = crossValues(image.features, text.features);
        const predicted = predictInteractions(got, image.coalitions, text.coalitions);
        const t = text.features.shape[0];
        const weight = (at: number): number => text.weights?.[at % t] ?? 1;
        const mean = values.reduce((s, v, at) => s + weight(at) * v, 0) / values.reduce((s, _, at) => s + weight(at), 0);
        const left = values.reduce((s, v, at) => s + weight(at) * (v - predicted[at]) ** 2, 0);
        const all = values.reduce((s, v, at) => s + weight(at) * (v - mean) ** 2, 0);
        expect(1 - left / all).toBeCloseTo(want.fit, 8);
      });

  it('with everything listed, cross terms are the exact Banzhaf interactions and first-order values the exact Banzhaf values', () => {
    const p = 0.7;
    const [image, text] = [listed(n, p), listed(k, p)];
    const values = crossValues(image.features, text.features);
    const pairs = exactBanzhafPairs(values, n + k, p);
    const first = exactBanzhaf(values, n + k, p);
    for (const within of [false, true]) {
      const got = fitInteractions(image, text, p, within);
      for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) expect(got.cross[i * k + j]).toBeCloseTo(pairs[i * (n + k) + n + j], 9);
      got.imageValues.forEach((v, i) => void expect(v).toBeCloseTo(first[i], 9));
      got.textValues.forEach((v, j) => void expect(v).toBeCloseTo(first[n + j], 9));
      expect(Math.max(...got.crossError, ...got.imageError, ...got.textError)).toBe(0);
    }
  });

  it('few masks: pairs within a side come from a ridge, which predicts new masks better than none and than plain least squares', () => {
    const players = 10;
    const [image, text] = [drawn(players, 70, 0.5, 5, false), listed(k, 0.5)];
    const fresh = drawn(players, 400, 0.5, 6);
    const values = crossValues(fresh.features, text.features);
    const error = (predicted: Float64Array): number => predicted.reduce((s, v, at) => s + (v - values[at]) ** 2, 0);
    const predict = (fit: ReturnType<typeof fitInteractions>): Float64Array => predictInteractions(fit, fresh.coalitions, text.coalitions);
    const ridge = error(predict(fitInteractions(image, text, 0.5, true)));
    expect(ridge).toBeLessThan(0.9 * error(predict(fitInteractions(image, text, 0.5, false))));
    const plain = dense(image, text, true);
    const ids = [...Array(players + k).keys()];
    const byLeastSquares = Float64Array.from(values, (_, at) => {
      const there = ids.filter(i =>
        i < players ? fresh.coalitions[Math.floor(at / 2 ** k) * players + i] : text.coalitions[(at % 2 ** k) * k + i - players],
      );
      return there.reduce(
        (s, i, a) => s + plain.coefficient(i) + there.slice(a + 1).reduce((t, j) => t + plain.coefficient(i, j), 0),
        plain.coefficient(),
      );
    });
    expect(ridge).toBeLessThan(error(byLeastSquares));
  });

  it('the error falls as 1/√(masks) on both sides, and the standard errors tell it', () => {
    const [players, words] = [9, 6];
    const exact = fitInteractions(listed(players, 0.5), listed(words, 0.5), 0.5, false);
    const errors: number[] = [];
    for (const scale of [1, 4, 16]) {
      const sums = { cross: [0, 0], image: [0, 0], text: [0, 0] };
      for (let seed = 0; seed < 8; seed++) {
        const got = fitInteractions(drawn(players, 60 * scale, 0.5, seed), drawn(words, 30 * scale, 0.5, 100 + seed), 0.5, false);
        const note = (sum: number[], a: Float64Array, b: Float64Array, reported: Float64Array): void => {
          sum[0] += a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0);
          sum[1] += reported.reduce((s, v) => s + v * v, 0);
        };
        note(sums.cross, got.cross, exact.cross, got.crossError);
        note(sums.image, got.imageValues, exact.imageValues, got.imageError);
        note(sums.text, got.textValues, exact.textValues, got.textError);
      }
      for (const [squares, reported] of Object.values(sums)) {
        expect(Math.sqrt(reported / squares)).toBeGreaterThan(0.7);
        expect(Math.sqrt(reported / squares)).toBeLessThan(1.5);
      }
      errors.push(Math.sqrt(sums.cross[0]));
    }
    const slope = Math.log(errors[2] / errors[0]) / Math.log(16);
    expect(slope).toBeGreaterThan(-0.65);
    expect(slope).toBeLessThan(-0.35);
  });

  it('a million values of 49 patches and 16 words need no dense design', () => {
    const [patches, words] = [49, 16];
    const image = drawn(patches, 2048, 0.5, 3);
    const text = drawn(words, 512, 0.5, 4);
    const before = process.memoryUsage();
    const got = fitInteractions(image, text, 0.5, false);
    const after = process.memoryUsage();
    expect(got.cross.length).toBe(patches * words);
    expect(got.fit).toBeGreaterThan(0.5);
    // The dense design would take 2²⁰ × 850 × 8 bytes = 7 GB.
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(100 * 2 ** 20);
  });
});
