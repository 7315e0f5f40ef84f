/**
 * @file What is explained: a scalar of a tower's unit feature û. Either linear, û·v (the cosine to a text or an image, the difference of two
 * cosines, the mean over a prompt ensemble), or the log-probability of the caption among labels, log softmax(scale · û·Tᵀ)₀.
 */
import { type Dim, input, logSoftmax, matmul, mul, normalise, reshape, slice, squeeze, sum, type Value } from '../graph/index.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import { type Range, rows } from './rows.ts';

/**
 * What a call asks for, besides the pair itself. For maps of the caption, all but `image` mean the plain cosine to the picture: there the
 * caption is what is explained.
 */
export interface TargetSpec {
  /** Why the caption and not this one: cos(image, caption) − cos(image, against). */
  readonly against?: string;
  /** Log-probability of the caption among these labels (and itself). */
  readonly labels?: readonly string[];
  /** Prompt templates in which `{}` stands for the caption: the mean of their unit features, made a unit again. */
  readonly templates?: readonly string[];
  /** Cosine to this picture in place of the caption (for the image) or in place of the pair's picture (for the caption). */
  readonly image?: RgbImage;
  /** What to call that picture in the record. */
  readonly imageName?: string;
}

/**
 * What a target is: the cosine to the pair's caption or picture (what is explained where nothing else is asked for), to another picture, the
 * difference of the cosines to two captions, the mean over prompts, the log-probability among labels; of models that answer, the
 * log-probability of an answer.
 */
export const TARGET_KINDS = ['caption', 'image', 'other-image', 'contrast', 'prompts', 'labels', 'answer'] as const;
/** One of them. */
export type TargetKind = (typeof TARGET_KINDS)[number];

/** A target of P pairs for one tower. */
export interface Target {
  readonly kind: TargetKind;
  /** How the score is made of cosines; `raw`: linear in the features as they are (an answer's log-probabilities), which are not made units. */
  readonly form: 'linear' | 'log-probability' | 'raw';
  /** [P, K, E]: K = 1 for linear and raw targets; for labels, unit features with the caption's first. */
  readonly vectors: FloatTensor;
  /** Factor from cosines to logits; 1 for linear targets. */
  readonly scale: number;
  /** In words, for people: code reads `kind`. */
  readonly description: string;
}

/** Unit vector. */
export function unit(v: ArrayLike<number>): Float32Array {
  let squares = 0;
  for (let i = 0; i < v.length; i++) squares += v[i] * v[i];
  const length = Math.sqrt(squares);
  return Float32Array.from(v, x => x / length);
}

/**
 * The target in a graph; declares the input `target` [batch, K, E].
 * @param features [batch·repeat, E], not normalised
 * @returns [batch, repeat]
 */
export function targetScore(features: Value, repeat: Dim, target: Pick<Target, 'form' | 'vectors' | 'scale'>): Value {
  const [, labels, width] = target.vectors.shape;
  if (target.form === 'raw') {
    const weights = input('target', ['batch', 1, 'feature']);
    return sum(mul(reshape(features, ['batch', repeat, 'feature']), weights), 2);
  }
  const vectors = input('target', ['batch', labels, width]);
  const units = reshape(normalise(features), ['batch', repeat, width]);
  const cosines = matmul(units, vectors, { transB: true });
  if (target.form === 'linear') return squeeze(cosines, 2);
  return squeeze(slice(logSoftmax(mul(cosines, target.scale), 2), 2, 0, 1), 2);
}

/** What `targetScore` declares, for some pairs. */
export const targetFeeds = (target: Target, range: Range): { target: FloatTensor } => ({ target: rows(target.vectors, range) });

/** The target of pair p on the host. @param features [E], any length */
export function scoreFeatures(target: Target, p: number, features: Float32Array): number {
  const [, labels, width] = target.vectors.shape;
  const normalised = target.form === 'raw' ? features : unit(features);
  const values = Array.from({ length: labels }, (_, k) => {
    const at = (p * labels + k) * width;
    let dot = 0;
    for (let e = 0; e < width; e++) dot += normalised[e] * target.vectors.data[at + e];
    return dot * target.scale;
  });
  if (target.form !== 'log-probability') return values[0];
  const top = Math.max(...values);
  return values[0] - top - Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

/** A linear target from one vector per pair, [P, E] -> [P, 1, E]; not made a unit. */
export function linearTarget(vectors: readonly Float32Array[], named: Pick<Target, 'kind' | 'description'>): Target {
  const width = vectors[0].length;
  const data = new Float32Array(vectors.length * width);
  vectors.forEach((v, p) => {
    data.set(v, p * width);
  });
  return { ...named, form: 'linear', vectors: floats([vectors.length, 1, width], data), scale: 1 };
}
