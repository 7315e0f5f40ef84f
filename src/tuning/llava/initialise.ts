/** @file Fresh weights of a LLaVA's projector and decoder, as transformers draws them (normal, initializer_range), from Philox. */
import { initialNormals } from '../../nn/initial.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** @param shapes name -> shape @param std initializer_range */
export function initialiseLlava(
  shapes: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  seed: number,
  std = 0.02,
): Parameter[] {
  return [...shapes].map(([name, { shape }]) => {
    const count = sizeOf(shape as number[]);
    const constant = name.endsWith('norm.weight') ? 1 : name.endsWith('bias') ? 0 : undefined;
    const data = constant === undefined ? initialNormals(name, count, std, seed) : new Float32Array(count).fill(constant);
    return { name, shape: shape as number[], data };
  });
}
