/** @file A method's run from tensors (pixels, ids) in place of pictures and captions: what goldens give. */

import { encodeTargets } from '../attribution/encode-target.ts';
import { MAX_MEMORY } from '../attribution/memory.ts';
import { type MethodMaps, type MethodRun, methodOptions } from '../attribution/method.ts';
import { cosine, type EncodedPairs, type Layers } from '../attribution/pair.ts';
import { row } from '../attribution/rows.ts';
import { type RegisteredMethod, wrongSubject } from '../attribution/subject.ts';
import type { Target } from '../attribution/target.ts';
import { towerJob } from '../attribution/tower-job.ts';
import { GraphCache, type Releasable } from '../graph/index.ts';
import type { DualEncoder, Modality } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** P pairs as tensors. */
export interface TensorPairs {
  /** [P, 3, H, W] */
  readonly pixelValues: FloatTensor;
  /** [P, T] */
  readonly inputIds: Tensor;
  readonly attentionMask?: Tensor;
}

/**
 * Encoded pairs without a tokenizer: the first position and those from the pooled one on count as special where `special` does not say
 * otherwise (CLIP's BOS, EOS and padding).
 */
export async function encodeTensors(
  model: DualEncoder,
  given: TensorPairs,
  layers: Layers,
  special?: (id: number, position: number) => boolean,
): Promise<EncodedPairs> {
  const imageInputs = model.imageInputs(given.pixelValues);
  const textInputs = model.textInputs(given.inputIds, given.attentionMask);
  const image = await model.runTower(model.image, imageInputs, layers.image);
  const text = await model.runTower(model.text, textInputs, layers.text);
  const [count, , height, width] = given.pixelValues.shape;
  const length = given.inputIds.shape[1];
  const ends = model.text.pooledTokens!(textInputs);
  const rows = Array.from({ length: count }, (_, p) => {
    const ids = Array.from(given.inputIds.data.subarray(p * length, (p + 1) * length) as Int32Array, Number);
    const mask = given.attentionMask && Array.from(given.attentionMask.data.subarray(p * length, (p + 1) * length) as Int32Array, Number);
    const realIds = mask ? ids.filter((_, i) => mask[i]) : ids;
    const tokens = realIds.map((id, i) => ({
      id,
      text: `${id}`,
      start: i,
      end: i,
      special: special ? special(id, i) : i === 0 || i >= ends[p],
    }));
    return { ids: realIds, tokens, allUnknown: false };
  });
  const blank = { width, height, data: new Uint8Array(width * height * 3) };
  return {
    pairs: rows.map(() => ({ image: blank, text: '' })),
    image: {
      inputs: imageInputs,
      ...image,
      views: rows.map(() => ({ left: 0, top: 0, width, height })),
      grid: model.image.grid!(height, width),
    },
    text: { inputs: textInputs, ...text, batch: { inputIds: given.inputIds, attentionMask: given.attentionMask ?? given.inputIds, rows } },
    cosines: rows.map((_, p) => cosine(row(image.features, p), row(text.features, p))),
  };
}

/** What a run from tensors may choose. */
export interface TensorCall {
  readonly wanted?: readonly Modality[];
  readonly seed?: number;
  readonly maxMemory?: number;
  /** What is explained; the cosine of the pair by default. */
  readonly targets?: Readonly<Record<Modality, Target>>;
  readonly special?: (id: number, position: number) => boolean;
  readonly onWarning?: (message: string) => void;
}

/** The run that a method gets, for what lies below methods. Release it when done. */
export async function tensorRun(
  model: DualEncoder,
  given: TensorPairs,
  layers: Layers,
  call: TensorCall = {},
): Promise<MethodRun & Releasable> {
  const encoded = await encodeTensors(model, given, layers, call.special);
  const targets = call.targets ?? (await encodeTargets(model, encoded));
  const graphs = new GraphCache();
  return {
    model,
    encoded,
    wanted: call.wanted ?? ['image', 'text'],
    image: towerJob(model, encoded, 'image', layers.image, targets.image),
    text: towerJob(model, encoded, 'text', layers.text, targets.text),
    seed: call.seed ?? 0,
    maxMemory: call.maxMemory ?? MAX_MEMORY,
    timings: {},
    keep: graphs.keep,
    plan() {},
    advance() {},
    passes() {},
    warn: message => call.onWarning?.(message),
    release: () => graphs.release(),
  };
}

/** Runs a method on tensors, once. Graphs are closed before it returns. @throws NarrowsError for an option out of range */
export async function explainTensors<O>(
  model: DualEncoder,
  entry: RegisteredMethod<O>,
  given: TensorPairs,
  call: TensorCall & { readonly options?: Record<string, unknown> } = {},
): Promise<MethodMaps> {
  if (entry.serves === 'question') throw new NarrowsError(wrongSubject(entry));
  const options = methodOptions(entry, call.options ?? {});
  const layers = { image: -1, text: -1, ...entry.layers?.(model, options) };
  const run = await tensorRun(model, given, layers, { wanted: entry.modalities, ...call });
  try {
    return await entry.explain(run, options);
  } finally {
    await run.release();
  }
}
