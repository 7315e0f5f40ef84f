/** @file Whether a training fits into memory, told before its weights are read. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { freeMemory, weightMemory, worthRepacking } from '../../models/llava/memory.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes, formatCount } from '../../system/format.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** Value, gradient and AdamW's two moments of a trained parameter, float32. */
const PER_PARAMETER = 16;

type Traced = ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>;

/** Bytes of what is not trained. */
const frozenMemory = (traced: Traced, entries: ReadonlyMap<string, TensorEntry>): number =>
  weightMemory(
    entries,
    [...entries.keys()].filter(name => !traced.has(name)),
  );

/**
 * Whether a training graph's frozen weights are repacked: a copy for the forward pass and one for the backward pass, too much for large
 * models. Their size alone decides, not what is free, so that a run is resumed in the same bits.
 */
export const repacksFrozen = (traced: Traced, entries: ReadonlyMap<string, TensorEntry>): boolean =>
  worthRepacking(frozenMemory(traced, entries), Number.POSITIVE_INFINITY);

/**
 * @param traced what is trained, by name @param entries all tensors of the start @param available bytes
 * @throws NarrowsError with how much is missing. Activations are not counted: they depend on batch and length.
 */
export function requireTrainingMemory(
  directory: string,
  traced: Traced,
  entries: ReadonlyMap<string, TensorEntry>,
  available = freeMemory(),
): void {
  const count = [...traced.values()].reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);
  const frozen = frozenMemory(traced, entries);
  const needed = count * PER_PARAMETER + frozen;
  if (needed <= available) return;
  throw new NarrowsError(
    `Training ${formatCount(count)} parameters of ${directory} needs ${formatBytes(needed)} of memory before activations (${PER_PARAMETER} bytes for each of them, 4 for each of the others), but ${formatBytes(available)} are free: ${formatBytes(needed - available)} are missing; train less (--method lora, --freeze) or a smaller model.`,
  );
}
