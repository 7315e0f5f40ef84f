/** @file One number per case from the seed of a run: equal seeds give equal cases, and a single case can be made again by itself. */
import { RandomStream } from '../../src/tensor/random.ts';

/** A 32-bit seed of case `index` of the run with `seed`; streams of different names have nothing to do with each other. */
export function caseSeed(name: string, seed: number, index: number): number {
  return new RandomStream(seed, name).words(0, index, new Uint32Array(1))[0] | 0;
}
