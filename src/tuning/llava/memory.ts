/** @file Whether a training fits into memory, checked before its weights are read. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { weightMemory, worthRepacking } from '../../models/llava/memory.ts';
import { freeMemory } from '../../node/machine.ts';
import type { CompileOptions } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes, formatCount } from '../../system/format.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** Value, gradient and AdamW's two moments of a trained parameter, float32. */
const PER_PARAMETER = 16;

/**
 * How training graphs of a model are compiled. For large ones memory counts, not speed: no repacked copies of frozen weights (one for the
 * forward pass, one for the backward pass), no second block for the values of a run. Only the model's size decides, not what is free, so
 * that a run is resumed in the same bits.
 * @param entries all tensors of the start
 */
export function trainingCompileOptions(entries: ReadonlyMap<string, TensorEntry>): CompileOptions {
  const small = worthRepacking(weightMemory(entries, entries.keys()), Number.POSITIVE_INFINITY);
  return { prepack: small, memoryPlan: small };
}

/**
 * @param traced what is trained, by name @param entries all tensors of the start @param available bytes
 * @throws NarrowsError with how much is missing. Activations are not counted: they depend on batch and length.
 */
export function requireTrainingMemory(
  directory: string,
  traced: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  entries: ReadonlyMap<string, TensorEntry>,
  available = freeMemory(),
): void {
  const count = [...traced.values()].reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);
  const frozen = weightMemory(
    entries,
    [...entries.keys()].filter(name => !traced.has(name)),
  );
  const needed = count * PER_PARAMETER + frozen;
  if (needed <= available) return;
  throw new NarrowsError(
    `Training ${formatCount(count)} parameters of ${directory} needs ${formatBytes(needed)} of memory before activations (${PER_PARAMETER} bytes for each of them, 4 for each of the others), but ${formatBytes(available)} are free: ${formatBytes(needed - available)} are missing; train less (--method lora, --freeze) or a smaller model.`,
  );
}
