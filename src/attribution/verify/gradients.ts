/** @file What checks of parameters' gradients share: weights to feed, runs of bounded size, and what counts as rounding. */
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import type { Value } from '../../graph/index.ts';
import { type FloatTensor, floats, sizeOf } from '../../tensor/tensor.ts';
import { largest } from './compare.ts';
import type { ReferenceFile } from './reference.ts';

/**
 * Errors count relative to the tensor's own largest entry, or to this share of the largest entry of all gradients in the file: what is
 * far smaller than the rest is rounding.
 */
const FLOOR = 1e-3;

/**
 * A key's bias shifts all scores of a query alike, which softmax ignores: its gradient is zero in theory and rounding in practice.
 * It is measured against the gradient of the weight beside it, which sums the same terms without cancelling.
 */
const CANCELLING = /(self_attn\.k_proj)\.bias$/;

/** Bytes of gradients that one run may give; a model with more takes several runs. */
const RUN_BYTES = 512 * 2 ** 20;

/**
 * The floor of a gradient's scale by its parameter's name (see `Computed.scaleFloor`).
 * @param prefix what stands before parameter names in the file
 * @param names parameters whose gradients the file has
 */
export async function gradientFloors(
  reference: ReferenceFile,
  prefix: string,
  names: readonly string[],
): Promise<(name: string) => number> {
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(name, largest((await reference.floats(prefix + name)).data));
  const floor = FLOOR * Math.max(...sizes.values());
  return name => (CANCELLING.test(name) ? Math.max(floor, sizes.get(name.replace(CANCELLING, '$1.weight')) ?? 0) : floor);
}

/** Weights as float32, by name. */
export async function readWeights(
  entries: ReadonlyMap<string, TensorEntry>,
  names: Iterable<string>,
): Promise<Record<string, FloatTensor>> {
  const weights: Record<string, FloatTensor> = {};
  for (const name of names) {
    const entry = entries.get(name)!;
    weights[name] = floats(entry.shape, await readFloats(entry));
  }
  return weights;
}

/** At least one group, each of at most `RUN_BYTES` where a single tensor is not larger. */
export function gradientRuns(wanted: readonly [string, Value][]): [string, Value][][] {
  const out: [string, Value][][] = [[]];
  let room = RUN_BYTES;
  for (const pair of wanted) {
    const bytes = 4 * sizeOf(pair[1].shape as number[]);
    if (bytes > room && out.at(-1)!.length) {
      out.push([]);
      room = RUN_BYTES;
    }
    out.at(-1)!.push(pair);
    room -= bytes;
  }
  return out;
}
