/** What a step of the gate is said to take, by which pairs and maps are put together into runs. */
import { expect, it } from 'vitest';
import { floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { stepBytes } from './gate.ts';

const [TOKENS, WIDTH] = [20, 8];
const jobOf = (layers: number, layer: number, kinds?: TowerJob['kinds']) => ({
  tower: { layers, width: WIDTH, heads: 2 } as TowerJob['tower'],
  hidden: floats([1, TOKENS, WIDTH], new Float32Array(TOKENS * WIDTH)),
  ...{ layer, kinds },
});
const answers = [[0], [1]];

it('goes by the blocks above the gate in a decoder, and by the samples', () => {
  const deep = stepBytes(jobOf(24, -1, answers), 2);
  expect(stepBytes(jobOf(24, 17, answers), 2)).toBe(stepBytes(jobOf(6, -1, answers), 2));
  expect(deep).toBe(4 * stepBytes(jobOf(6, -1, answers), 2));
  expect(stepBytes(jobOf(24, -1, answers), 4)).toBe(2 * deep);
});

it("is the gate's own arithmetic where that is more: in the last block, and of towers that compare", () => {
  const own = stepBytes(jobOf(24, 23, answers), 1);
  expect(own).toBeGreaterThan(0);
  for (const layer of [-1, 11]) expect(stepBytes(jobOf(24, layer), 1)).toBe(own);
});
