/** @file Fresh weights of a LLaVA's projector and decoder, as transformers draws them (normal, initializer_range), from Philox. */
import type { Parameter } from '../../optim/adamw.ts';
import { RandomStream } from '../../tensor/random.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** @param shapes name -> shape @param std initializer_range */
export function initialiseLlava(
  shapes: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  seed: number,
  std = 0.02,
): Parameter[] {
  return [...shapes].map(([name, { shape }]) => {
    const data = new Float32Array(sizeOf(shape as number[]));
    if (name.endsWith('norm.weight')) data.fill(1);
    else if (!name.endsWith('bias')) {
      // One stream per tensor: adding a tensor changes no other.
      new RandomStream(seed, `init.${name}`).normals(0, 0, data);
      for (let i = 0; i < data.length; i++) data[i] *= std;
    }
    return { name, shape: shape as number[], data };
  });
}
