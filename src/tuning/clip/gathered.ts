/**
 * @file A batch whose rows several processes share, while its contrast is over all of them: features are gathered, each process compares its rows with all
 * columns, and the gradients of the others' features go back to them (OpenCLIP's local loss, gathered with gradients). Towers run twice, first for
 * features alone, since ONNX Runtime keeps nothing of one run for the next (GradCache, arXiv 2101.06983).
 */
import type { CompiledGraph } from '../../graph/index.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { leavesOf, type Span } from '../parallel/leaves.ts';
import { addInPlace } from '../parallel/reduce.ts';
import type { TogetherStep } from '../parallel/team.ts';
import type { Batch } from './batch.ts';
import type { LossWeights } from './graph.ts';

/** How processes share a batch. */
export interface SharedBatch {
  readonly ranks: Pick<Ranks, 'rank' | 'size' | 'allGather' | 'exchange'>;
  /** Rows of the whole batch. */
  readonly size: number;
  /** This process's rows. */
  readonly rows: Span;
}

/**
 * Whether the processes share the rows of each batch: where an update has one. @returns undefined where they do not
 * @throws NarrowsError (usage) for fewer rows than processes
 */
export function sharedBatch(
  args: { readonly gradient_accumulation_steps: number; readonly per_device_train_batch_size: number },
  ranks: Ranks | undefined,
): SharedBatch | undefined {
  if (!ranks || args.gradient_accumulation_steps > 1) return undefined;
  const size = args.per_device_train_batch_size;
  if (size < ranks.size)
    throw new NarrowsError(
      `An update has one micro-batch of ${size} sample${size > 1 ? 's' : ''} for ${ranks.size} processes, which share them out: raise "per_device_train_batch_size" to ${ranks.size} at least, or set "gradient_accumulation_steps" to a multiple of ${ranks.size}.`,
      { kind: 'usage' },
    );
  return { ranks, size, rows: leavesOf(size, ranks.rank, ranks.size) };
}

/** Inputs that have a row per sample; groups are those of all, since rows are compared with all. */
const BY_SAMPLE = new Set(['patches', 'kept', 'owners', 'names', 'ids', 'eos']);

/** How many of the right names are in some rows, as a share of those of the batch. */
function shareOfNames(data: ArrayLike<number>, from: number, to: number): number {
  let [mine, all] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0) continue;
    all++;
    if (i >= from && i < to) mine++;
  }
  return mine / Math.max(1, all);
}

/** Some rows of a batch, with what the losses must know of the whole. */
export function rowsOf(batch: Batch, { from, to }: Span): Batch {
  const out: Record<string, Batch[string]> = {};
  for (const [name, tensor] of Object.entries(batch)) {
    if (!BY_SAMPLE.has(name)) {
      out[name] = tensor;
      continue;
    }
    const width = tensor.data.length / tensor.shape[0];
    const shape = [to - from, ...tensor.shape.slice(1)];
    out[name] = { ...tensor, shape, data: tensor.data.slice(from * width, to * width) } as Batch[string];
    const share = { names: 'namingShare', owners: 'denseShare' }[name];
    if (share) out[share] = floats([], [shareOfNames(tensor.data as Int32Array, from * width, to * width)]);
  }
  return out;
}

/** The graphs of a shared batch: see graph.ts. */
export interface GatheredGraphs {
  readonly features: CompiledGraph;
  readonly contrast: CompiledGraph;
  readonly backward: CompiledGraph;
}

const bytesOf = (arrays: readonly Float32Array[]): Uint8Array => {
  const out = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array, at);
    at += array.length;
  }
  return new Uint8Array(out.buffer);
};

const floatsOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Float32Array =>
  new Float32Array(buffer, byteOffset, byteLength / 4);

/** The two halves of what a rank sent: of pictures and of texts. */
const halves = (bytes: Uint8Array<ArrayBuffer>): [Float32Array, Float32Array] => {
  const all = floatsOf(bytes);
  return [all.subarray(0, all.length / 2), all.subarray(all.length / 2)];
};

/** Makes the step. @param draw this process's rows of a step's batch, as `rowsOf` gives them @param width of the features */
export function gatheredStep(
  { features, contrast, backward }: GatheredGraphs,
  { ranks, size, rows }: SharedBatch,
  weights: LossWeights,
  width: number,
  draw: (step: number) => Promise<Feeds>,
): TogetherStep {
  const mine = ints(
    [rows.to - rows.from],
    Array.from({ length: rows.to - rows.from }, (_, i) => rows.from + i),
  );
  const alone = ints(
    [size],
    Array.from({ length: size }, (_, i) => i),
  );
  const bounds = Array.from({ length: ranks.size }, (_, r) => leavesOf(size, r, ranks.size));

  /** The features of all rows, in the order of the batch. */
  const gather = async (own: readonly Float32Array[]): Promise<Feeds> => {
    const parts = (await ranks.allGather(bytesOf(own))).map(halves);
    const [images, texts] = [0, 1].map(k => floatsOf(bytesOf(parts.map(part => part[k])) as Uint8Array<ArrayBuffer>));
    return { images: floats([size, width], images), texts: floats([size, width], texts) };
  };
  /** The gradients of this process's features: what all processes found of them, added up by rank. */
  const bringHome = async (found: readonly Float32Array[]): Promise<Feeds> => {
    const sent = bounds.map(({ from, to }) => bytesOf(found.map(gradient => gradient.subarray(from * width, to * width))));
    const parts = (await ranks.exchange(sent)).map(halves);
    const [image, text] = [0, 1].map(k => parts.slice(1).reduce((sum, part) => addInPlace(sum, part[k]), parts[0][k]));
    const shape = [rows.to - rows.from, width];
    return { gradImage: floats(shape, image), gradText: floats(shape, text) };
  };

  return {
    async run(parameters, step) {
      const { groups = alone, ...batch } = await draw(step);
      const own = await features.run({ ...parameters, ...batch });
      const all = await gather([own.image.data as Float32Array, own.text.data as Float32Array]);
      const compared = await contrast.run({ logit_scale: parameters.logit_scale, ...all, groups, mine });
      const home = await bringHome([compared['grad.images'].data as Float32Array, compared['grad.texts'].data as Float32Array]);
      const results = await backward.run({ ...parameters, ...batch, ...home });
      const figures: Record<string, number> = { loss: 0, contrastive: Number(compared.contrastive.data[0]) };
      const scale = compared['grad.logit_scale'].data as Float32Array;
      const gradients = new Map([['logit_scale', scale]]);
      for (const [name, { data }] of Object.entries(results)) {
        if (name === 'grad.logit_scale') addInPlace(scale, data as Float32Array);
        else if (name.startsWith('grad.')) gradients.set(name.slice(5), data as Float32Array);
        else figures[name] = Number(data[0]);
      }
      for (const [name, weight] of Object.entries(weights)) figures.loss += weight * (figures[name] ?? 0);
      return { gradients, figures };
    },
  };
}
