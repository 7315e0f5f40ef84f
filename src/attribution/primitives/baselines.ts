/** @file Baselines of path methods: what stands for "nothing there" at a tower's source, and at a hidden state. */
import type { DualEncoder, TowerInputs } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { gaussianBlur } from '../perturbation/blur.ts';
import { inputRows, row } from '../rows.ts';

/** Baselines of images: the data set's mean colour (0 in normalised space), black, or the picture itself, blurred. */
export const IMAGE_BASELINES = ['mean', 'black', 'blur'] as const;
/** One of them. */
export type ImageBaseline = (typeof IMAGE_BASELINES)[number];

/**
 * Baselines of hidden states: that of a baseline input (the mean colour; BOS, padding, EOS), as in captum; zeros; or in every token's place
 * the mean of the pair's own tokens.
 */
export const HIDDEN_BASELINES = ['input', 'zero', 'mean-token'] as const;
/** One of them. */
export type HiddenBaseline = (typeof HIDDEN_BASELINES)[number];

/** Deviation of the blur, as a share of the shorter edge: a sixteenth leaves colours and no shapes. */
const BLUR = 1 / 16;

/** What baselines read of a model. */
export type BaselineModel = Pick<DualEncoder, 'processor' | 'requireTokenizer' | 'vocabularySize' | 'padTokenId'>;

/** Pixels [P, 3, H, W] of the baseline. */
export function imageBaseline(model: Pick<BaselineModel, 'processor'>, pixels: FloatTensor, kind: ImageBaseline): FloatTensor {
  if (kind === 'blur') return gaussianBlur(pixels, Math.min(...pixels.shape.slice(2)) * BLUR);
  const out = new Float32Array(pixels.data.length);
  if (kind === 'mean') return floats(pixels.shape, out);
  const { do_normalize, image_mean, image_std } = model.processor.config;
  const plane = pixels.shape[2] * pixels.shape[3];
  for (let i = 0; i < out.length; i++) {
    const c = Math.floor(i / plane) % pixels.shape[1];
    out[i] = do_normalize ? -image_mean[c] / image_std[c] : 0;
  }
  return floats(pixels.shape, out);
}

/** What transformers takes where a text config does not say. */
const DEFAULT_PAD = 1;

/** The id that pads captions: the tokenizer's, else the config's. */
export function padTokenId(model: BaselineModel): number {
  let known: number | undefined;
  try {
    known = model.requireTokenizer().padId;
  } catch (error) {
    // A model without a tokenizer still serves ids.
    if (!(error instanceof NarrowsError)) throw error;
  }
  return known ?? model.padTokenId ?? DEFAULT_PAD;
}

/** Token ids with the caption's own tokens (no special ones, no padding) replaced. @param other id in place of pair p's k-th own token */
export function replacePlayers(job: TowerJob, other: (p: number, k: number) => number): Tensor {
  const { shape, data } = job.inputs.input_ids;
  const ids = Int32Array.from(data as Int32Array);
  job.players.forEach((players, p) => {
    players.forEach((n, k) => {
      ids[p * shape[1] + n] = other(p, k);
    });
  });
  return ints(shape, ids);
}

/**
 * A tower's inputs with the baseline in place of the pair's own. Captions: BOS, padding, …, EOS, as in exCLIP; the text is still pooled where
 * its own end stands, since only ids are exchanged.
 */
export async function baselineInputs(model: BaselineModel, job: TowerJob, kind: ImageBaseline): Promise<TowerInputs> {
  if (job.modality === 'image') return { ...job.inputs, pixel_values: imageBaseline(model, job.inputs.pixel_values as FloatTensor, kind) };
  const pad = padTokenId(model);
  return { ...job.inputs, input_ids: replacePlayers(job, () => pad) };
}

/**
 * Baseline of a hidden state, [P, N, D]. Padding has no part in the mean of tokens, and stays as it is.
 */
export async function hiddenBaseline(
  job: TowerJob,
  kind: HiddenBaseline,
  model: BaselineModel & Pick<DualEncoder, 'runTower'>,
): Promise<FloatTensor> {
  const { hidden, lengths } = job;
  const out = new Float32Array(hidden.data.length);
  if (kind === 'input' && job.nothing) return job.nothing();
  if (kind === 'input') {
    const inputs = await baselineInputs(model, job, 'mean');
    if (job.modality === 'text') return (await model.runTower(job.tower, inputs, job.layer)).hidden;
    // Mean colour looks the same for every pair.
    const one = (await model.runTower(job.tower, inputRows(inputs, [0, 1]), job.layer)).hidden.data;
    for (let at = 0; at < out.length; at += one.length) out.set(one, at);
    return floats(hidden.shape, out);
  }
  if (kind === 'zero') return floats(hidden.shape, out);
  const width = hidden.shape[2];
  lengths.forEach((length, p) => {
    const from = row(hidden, p);
    const to = row(floats(hidden.shape, out), p);
    to.set(from);
    for (let d = 0; d < width; d++) {
      let sum = 0;
      for (let n = 0; n < length; n++) sum += from[n * width + d];
      for (let n = 0; n < length; n++) to[n * width + d] = sum / length;
    }
  });
  return floats(hidden.shape, out);
}
