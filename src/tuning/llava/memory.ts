/** @file Whether a training fits into memory, checked before its weights are read. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { weightMemory, worthRepacking } from '../../models/llava/memory.ts';
import { freeMemory } from '../../node/machine.ts';
import type { CompileOptions } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes, formatCount } from '../../system/format.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { mostHeld } from '../parallel/leaves.ts';

/** Value and AdamW's two moments of a trained parameter, float32. */
const PER_PARAMETER = 12;
/** A gradient. */
const PER_GRADIENT = 4;

/** How an update is made up. */
export interface UpdateShape {
  /** Micro-batches. */
  readonly gradient_accumulation_steps: number;
  readonly ranks?: { readonly rank: number; readonly size: number };
}

/** Gradients of all parameters that are held at once: sums of micro-batches that wait for others, and what ranks add up into. */
function gradientsHeld({ gradient_accumulation_steps: count, ranks }: UpdateShape): number {
  return ranks ? mostHeld(count, ranks.rank, ranks.size) + 1 : mostHeld(count);
}

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
 * @param traced what is trained, by name @param entries all tensors of the start @param update what an update adds up @param available bytes
 * @throws NarrowsError with how much is missing. Activations are not counted: they depend on batch and length.
 */
export function requireTrainingMemory(
  directory: string,
  traced: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  entries: ReadonlyMap<string, TensorEntry>,
  update: UpdateShape = { gradient_accumulation_steps: 1 },
  available = freeMemory(),
): void {
  const count = [...traced.values()].reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);
  const frozen = weightMemory(
    entries,
    [...entries.keys()].filter(name => !traced.has(name)),
  );
  const held = gradientsHeld(update);
  const each = PER_PARAMETER + held * PER_GRADIENT;
  const needed = count * each + frozen;
  if (needed <= available) return;
  const few = held > 1 ? `, ${held} gradients of the micro-batches of an update included` : '';
  const remedy =
    held > 1
      ? 'train less (--method lora, --freeze), fewer micro-batches ("gradient_accumulation_steps")'
      : 'train less (--method lora, --freeze)';
  throw new NarrowsError(
    `Training ${formatCount(count)} parameters of ${directory} needs ${formatBytes(needed)} of memory before activations (${each} bytes for each of them${few}, 4 for each of the others), but ${formatBytes(available)} are free: ${formatBytes(needed - available)} are missing; ${remedy} or a smaller model.`,
  );
}
