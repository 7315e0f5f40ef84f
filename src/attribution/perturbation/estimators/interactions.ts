/**
 * @file Second-order Banzhaf interactions between patches and words (FIxLIP, Baniecki et al., NeurIPS 2025): weighted least squares of the
 * values of all m·k pairs of image and text masks on e₀ + Σ eᵢxᵢ + Σ eⱼyⱼ + Σ eᵢⱼxᵢyⱼ (and pairs within a side). No design matrix is built:
 * the cross design is the Kronecker product of (1, x) and (1, y), so Θ = (Φ_I⁺U)(Φ_T⁺W)ᵀ with unit features U and W, whose products the
 * values are. Pairs within a side are orthogonal to x̃ᵢỹⱼ (both centred over the drawn masks) and are fitted to the means over the other side, with a
 * ridge (pair-ridge.ts) where masks are fewer than three per coefficient.
 */
import type { FloatTensor } from '../../../tensor/tensor.ts';
import { crossValues } from '../games.ts';
import { products, sumOver, variancesOf } from './interaction-errors.ts';
import { fitValues, membersOf, predictRow, type Regressor, regressor, solveNormal } from './least-squares.ts';
import { type PairFit, pairValue, ridgePairs } from './pair-ridge.ts';

/** Masks of one side and what the tower made of them. */
export interface MaskedSide {
  /** Number of players. */
  readonly players: number;
  /** [m, n] */
  readonly coalitions: Uint8Array;
  /** Unit features [m, E]. */
  readonly features: FloatTensor;
  /** Probabilities of the masks where all are listed; drawn ones (rows 2k and 2k + 1 may be antithetic) weigh the same. */
  readonly weights?: Float64Array;
}

/** Coefficients of the fit. n image players, k text players. */
export interface InteractionFit {
  readonly intercept: number;
  /** eᵢ [n] and eⱼ [k]. */
  readonly image: Float64Array;
  readonly text: Float64Array;
  /** eᵢⱼ [n, k] and its standard error. */
  readonly cross: Float64Array;
  readonly crossError: Float64Array;
  /** Pairs within a side, [n, n] and [k, k], symmetric; all 0 where they were not asked for. */
  readonly imagePairs: Float64Array;
  readonly textPairs: Float64Array;
  /** First-order values eᵢ + p·Σ eᵢⱼ over all other players, and their standard errors. */
  readonly imageValues: Float64Array;
  readonly textValues: Float64Array;
  readonly imageError: Float64Array;
  readonly textError: Float64Array;
  /** Weighted R² over the m·k values. */
  readonly fit: number;
}

/**
 * Fits all m·k values at once.
 * @param within fit pairs of patches and pairs of words too; eᵢⱼ between the sides stays the same
 * @throws NarrowsError where masks are too few
 */
export function fitInteractions(image: MaskedSide, text: MaskedSide, p: number, within: boolean): InteractionFit {
  const [n, k] = [image.players, text.players];
  const own = regressor(image.coalitions, n, image.weights);
  const words = regressor(text.coalitions, k, text.weights);
  // Features seen through the regressions: A = Φ_I⁺U [1 + n, E], B = Φ_T⁺W [1 + k, E], Θ = A·Bᵀ.
  const a = regress(own, image.features);
  const b = regress(words, text.features);
  const width = image.features.shape[1];
  const theta = products(a, b, width);
  const cross = new Float64Array(n * k);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) cross[i * k + j] = theta[(i + 1) * (k + 1) + j + 1];

  // Means over the other side as games of their own.
  const rowMeans = means(image.features, weightedMean(text.features, words.weights));
  const columnMeans = means(text.features, weightedMean(image.features, own.weights));
  const ownPart = sidePart(own, rowMeans, within);
  const wordPart = sidePart(words, columnMeans, within);
  const [shareOwn, shareWords] = [presence(own), presence(words)];

  // eᵢⱼx̃ᵢỹⱼ multiplied out, so that the coefficients belong to plain products of 0 and 1.
  const imageMain = ownPart.main.map((v, i) => v - sumOver(k, j => cross[i * k + j] * shareWords[j]));
  const textMain = wordPart.main.map((v, j) => v - sumOver(n, i => cross[i * k + j] * shareOwn[i]));
  const grandMean = weightedAverage(rowMeans, own.weights);
  const product = sumOver(n, i => shareOwn[i] * sumOver(k, j => cross[i * k + j] * shareWords[j]));
  const intercept = ownPart.intercept + wordPart.intercept - grandMean + product;

  // Variances from both sides' draws add up (two-way clustered); a listed side has none.
  const drawn = image.weights ? undefined : variancesOf(own, image.features, b, theta, p);
  const drawnWords = text.weights ? undefined : variancesOf(words, text.features, a, transposed(theta, k + 1), p);
  const error = (x = 0, y = 0): number => Math.sqrt(x + y);
  return {
    intercept,
    image: imageMain,
    text: textMain,
    cross,
    imagePairs: ownPart.pairs,
    textPairs: wordPart.pairs,
    imageValues: imageMain.map((v, i) => v + p * (sumOver(k, j => cross[i * k + j]) + sumOver(n, j => ownPart.pairs[i * n + j]))),
    textValues: textMain.map((v, j) => v + p * (sumOver(n, i => cross[i * k + j]) + sumOver(k, i => wordPart.pairs[j * k + i]))),
    crossError: cross.map((_, at) => error(drawn?.cross[at], drawnWords?.cross[(at % k) * n + Math.floor(at / k)])),
    imageError: imageMain.map((_, i) => error(drawn?.own[i], drawnWords?.other[i])),
    textError: textMain.map((_, j) => error(drawn?.other[j], drawnWords?.own[j])),
    fit: quality({ own, words, image, text, theta, ownPart, wordPart, grandMean }),
  };
}

/**
 * The fitted values of any masks, [m, t].
 * @param images coalitions [m, n]; @param texts [t, k]
 */
export function predictInteractions(fit: InteractionFit, images: Uint8Array, texts: Uint8Array): Float64Array {
  const [n, k] = [fit.image.length, fit.text.length];
  const [m, t] = [images.length / n, texts.length / k];
  const own = sideValues(images, n, fit.image, fit.imagePairs);
  const words = sideValues(texts, k, fit.text, fit.textPairs);
  const out = new Float64Array(m * t);
  const row = new Float64Array(k);
  for (let a = 0; a < m; a++) {
    row.fill(0);
    for (let i = 0; i < n; i++) if (images[a * n + i]) for (let j = 0; j < k; j++) row[j] += fit.cross[i * k + j];
    for (let b = 0; b < t; b++) out[a * t + b] = fit.intercept + own[a] + words[b] + sumOver(k, j => (texts[b * k + j] ? row[j] : 0));
  }
  return out;
}

/** Main effects and pairs within a side, per mask. */
const sideValues = (coalitions: Uint8Array, n: number, main: Float64Array, pairs: Float64Array): Float64Array =>
  Float64Array.from({ length: coalitions.length / n }, (_, m) => {
    const there = (i: number): number => coalitions[m * n + i];
    return sumOver(n, i => (there(i) ? main[i] + sumOver(i, j => (there(j) ? pairs[i * n + j] : 0)) : 0));
  });

/** A side's own part: the regression of its mean values on players (and pairs of them). */
interface SidePart extends PairFit {
  /** What the pairs add to the regression on single players, per mask. */
  readonly beyond: Float64Array;
}

function sidePart(r: Regressor, values: Float64Array, within: boolean): SidePart {
  const n = r.players;
  const { coefficients } = fitValues(r, values);
  if (!within || n < 2)
    return {
      intercept: coefficients[0],
      main: coefficients.slice(1),
      pairs: new Float64Array(n * n),
      beyond: new Float64Array(r.rows),
    };
  const found = r.rows >= ENOUGH * (1 + n + (n * (n - 1)) / 2) || !r.drawn ? leastSquaresPairs(r, values) : ridgePairs(r, values);
  const beyond = values.map((_, m) => pairValue(found, r.coalitions, m) - predictRow(coefficients, r.coalitions, m, n));
  return { ...found, beyond };
}

/** Masks per coefficient from which least squares need no ridge. */
const ENOUGH = 3;

/** Intercept, players and pairs by plain least squares. */
function leastSquaresPairs(r: Regressor, values: Float64Array): PairFit {
  const n = r.players;
  const full = solveNormal(withPairs(r.coalitions, n), n + (n * (n - 1)) / 2, values, r.weights);
  const pairs = new Float64Array(n * n);
  let c = n + 1;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      pairs[i * n + j] = full[c];
      pairs[j * n + i] = full[c++];
    }
  return { intercept: full[0], main: full.slice(1, n + 1), pairs };
}

/** Players, then all pairs (i, j), i < j, of them: [m, n + n(n − 1)/2]. */
function withPairs(coalitions: Uint8Array, n: number): Uint8Array {
  const count = coalitions.length / n;
  const columns = n + (n * (n - 1)) / 2;
  const out = new Uint8Array(count * columns);
  for (let m = 0; m < count; m++) {
    let c = m * columns + n;
    for (let i = 0; i < n; i++) {
      out[m * columns + i] = coalitions[m * n + i];
      for (let j = i + 1; j < n; j++) out[c++] = coalitions[m * n + i] & coalitions[m * n + j];
    }
  }
  return out;
}

/** Weighted R² over all pairs of masks, a strip of images at a time. */
function quality(given: {
  own: Regressor;
  words: Regressor;
  image: MaskedSide;
  text: MaskedSide;
  theta: Float64Array;
  ownPart: SidePart;
  wordPart: SidePart;
  grandMean: number;
}): number {
  const { own, words, image, text, theta, ownPart, wordPart, grandMean } = given;
  const [k, width] = [words.players, image.features.shape[1]];
  const present = new Int32Array(own.players + 1);
  const byText = Array.from({ length: words.rows }, (_, t) => {
    const list = new Int32Array(k + 1);
    return list.slice(0, membersOf(text.coalitions, t, k, list));
  });
  const row = new Float64Array(k + 1);
  let [left, all] = [0, 0];
  for (let m = 0; m < own.rows; m++) {
    const values = crossValues(
      { dtype: 'float32', shape: [1, width], data: image.features.data.subarray(m * width, (m + 1) * width) },
      text.features,
    );
    row.fill(0);
    const members = membersOf(image.coalitions, m, own.players, present);
    for (let t = 0; t < members; t++) for (let j = 0; j <= k; j++) row[j] += theta[present[t] * (k + 1) + j];
    for (let t = 0; t < words.rows; t++) {
      let predicted = ownPart.beyond[m] + wordPart.beyond[t];
      for (const j of byText[t]) predicted += row[j];
      const weight = own.weights[m] * words.weights[t];
      left += weight * (values[t] - predicted) ** 2;
      all += weight * (values[t] - grandMean) ** 2;
    }
  }
  return all === 0 ? 1 : 1 - left / all;
}

/** Φ⁺F: [1 + n, E] */
function regress(r: Regressor, features: FloatTensor): Float64Array {
  const width = features.shape[1];
  const out = new Float64Array((r.players + 1) * width);
  for (let i = 0; i <= r.players; i++)
    for (let m = 0; m < r.rows; m++) {
      const weight = r.map[i * r.rows + m];
      for (let e = 0; e < width; e++) out[i * width + e] += weight * features.data[m * width + e];
    }
  return out;
}

function weightedMean(features: FloatTensor, weights: Float64Array): Float64Array {
  const [rows, width] = features.shape;
  const all = sumOver(rows, m => weights[m]);
  const out = new Float64Array(width);
  for (let m = 0; m < rows; m++) for (let e = 0; e < width; e++) out[e] += (weights[m] / all) * features.data[m * width + e];
  return out;
}

const means = (features: FloatTensor, mean: Float64Array): Float64Array => products(features.data, mean, features.shape[1]);

/** How often each player is there. */
const presence = (r: Regressor): Float64Array =>
  Float64Array.from({ length: r.players }, (_, i) =>
    weightedAverage(
      Float64Array.from({ length: r.rows }, (_, m) => r.coalitions[m * r.players + i]),
      r.weights,
    ),
  );

const weightedAverage = (values: Float64Array, weights: Float64Array): number =>
  sumOver(values.length, m => values[m] * weights[m]) / sumOver(values.length, m => weights[m]);

/** [m, k] -> [k, m] */
function transposed(matrix: Float64Array, k: number): Float64Array {
  const m = matrix.length / k;
  return Float64Array.from(matrix, (_, at) => matrix[(at % m) * k + Math.floor(at / m)]);
}
