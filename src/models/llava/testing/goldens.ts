/** @file The tiny LLaVAs of testdata with what transformers computed on them, for tests. */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openSafetensors } from '../../../checkpoints/disk.ts';
import { readFloats, readTensor, type TensorEntry } from '../../../checkpoints/safetensors.ts';
import { type FloatTensor, floats, type Tensor } from '../../../tensor/tensor.ts';
import { expectClose } from '../../../testing/close.ts';

/** Models made by make_tiny_llava.py. */
export const FAMILIES = ['qwen2-tied', 'llama3-new-names', 'llama-linear-bf16', 'siglip-qwen2-sharded'] as const;

/** Path of a folder of testdata. */
export const directoryOf = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));

/** The tensors of a folder's outputs.safetensors. */
export interface Golden {
  readonly names: string[];
  floats(name: string): Promise<FloatTensor>;
  raw(name: string): Promise<Tensor>;
}

/** Opens the golden values of a folder of testdata. */
export const golden = (name: string): Promise<Golden> => goldenIn(directoryOf(name));

/** Opens the golden values of a directory. */
export async function goldenIn(directory: string): Promise<Golden> {
  const { tensors } = await openSafetensors(`${directory}/outputs.safetensors`);
  const entry = (n: string) => tensors.get(n) ?? expect.fail(`no ${n} in ${directory}`);
  return {
    names: [...tensors.keys()],
    floats: async n => floats(entry(n).shape, await readFloats(entry(n))),
    raw: async n => readTensor(entry(n)),
  };
}

/** Tensors of a checkpoint as float32, by name. */
export async function weightsOf(entries: ReadonlyMap<string, TensorEntry>): Promise<Map<string, FloatTensor>> {
  const weights = new Map<string, FloatTensor>();
  for (const [name, entry] of entries) weights.set(name, floats(entry.shape, await readFloats(entry)));
  return weights;
}

/** Below this all values are noise: a key's bias has no gradient (softmax), and what PyTorch gives there is rounding. */
const FLOOR = 1e-3;

/** Every entry within `tolerance` of the largest one; `rows` (one per leading index) chooses which are compared. */
export function expectNear(actual: Tensor, expected: Tensor, tolerance: number, label: string, rows?: ArrayLike<number>): void {
  expect(actual.shape, `${label}: shape`).toEqual(expected.shape);
  const width = actual.data.length / (rows?.length ?? 1);
  const shown = (data: ArrayLike<number | bigint>): number[] =>
    Array.from(data, Number).filter((_, i) => !rows || rows[Math.floor(i / width)]);
  const [a, e] = [shown(actual.data), shown(expected.data)];
  expectClose(a, e, { rtol: 0, atol: tolerance * e.reduce((most, v) => Math.max(most, Math.abs(v)), FLOOR), label });
}

/** The token rows of left- or right-padded ids, padding cut off. */
export function unpadded(ids: Tensor, mask: Tensor): number[][] {
  const [rows, length] = ids.shape;
  return Array.from({ length: rows }, (_, b) => {
    const row = Array.from((ids.data as Int32Array).subarray(b * length, (b + 1) * length));
    return row.filter((_, t) => mask.data[b * length + t]);
  });
}
