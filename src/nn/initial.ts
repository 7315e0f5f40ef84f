/** @file Fresh weights from Philox. */
import { RandomStream } from '../tensor/random.ts';

/** `count` normal numbers of a standard deviation. One stream per tensor (`init.NAME`): adding a tensor changes no other. */
export function initialNormals(name: string, count: number, std: number, seed: number): Float32Array {
  const data = new RandomStream(seed, `init.${name}`).normals(0, 0, new Float32Array(count));
  for (let i = 0; i < data.length; i++) data[i] *= std;
  return data;
}
