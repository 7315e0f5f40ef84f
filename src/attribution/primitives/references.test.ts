import { expect, it } from 'vitest';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { type ImageReference, imageReferences } from './references.ts';

/** Pictures of 5 x 7 pixels with 2 x 3 patches of 2 x 2: every value says where it is from. */
function job(pairs: number): TowerJob {
  const pixel_values = floats(
    [pairs, 3, 5, 7],
    Float32Array.from({ length: pairs * 105 }, (_, i) => i),
  );
  return {
    ...{ modality: 'image', grid: [2, 3], size: [5, 7], inputs: { pixel_values } },
    tower: { grid: (height: number, width: number) => [Math.floor(height / 2), Math.floor(width / 2)] },
  } as unknown as TowerJob;
}
const drawn = (pairs: number, kind: ImageReference, s: number, seed = 1): Float32Array =>
  (imageReferences(job(pairs), kind, seed)(s).pixel_values as FloatTensor).data;

it('patches change places as they are, all channels alike; what no patch covers stays', () => {
  const orders = new Set<string>();
  for (let s = 0; s < 5; s++) {
    const values = drawn(1, 'patches', s);
    const order: number[] = [];
    for (let k = 0; k < 6; k++) {
      const [y, x] = [2 * Math.floor(k / 3), 2 * (k % 3)];
      const from = values[y * 7 + x];
      order.push(from);
      for (let c = 0; c < 3; c++)
        for (const [dy, dx] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ])
          expect(values[(c * 5 + y + dy) * 7 + x + dx]).toBe(c * 35 + from + dy * 7 + dx);
    }
    expect([...order].sort((a, b) => a - b)).toEqual([0, 2, 4, 14, 16, 18]);
    orders.add(order.join());
    for (let c = 0; c < 3; c++) {
      for (let x = 0; x < 7; x++) expect(values[(c * 5 + 4) * 7 + x]).toBe((c * 5 + 4) * 7 + x);
      for (let y = 0; y < 5; y++) expect(values[(c * 5 + y) * 7 + 6]).toBe((c * 5 + y) * 7 + 6);
    }
  }
  expect(orders.size).toBeGreaterThan(3);
});

it('pixels are colours of the picture: three channels of one place, places drawn evenly', () => {
  const seen = new Set<number>();
  for (let s = 0; s < 12; s++) {
    const values = drawn(1, 'pixels', s);
    for (let i = 0; i < 35; i++) {
      expect([values[35 + i], values[70 + i]]).toEqual([values[i] + 35, values[i] + 70]);
      expect(values[i]).toBeLessThan(35);
      seen.add(values[i]);
    }
  }
  expect(seen.size).toBe(35);
});

it('of the batch are another picture of it, each of the others now and then', () => {
  const others = [0, 1, 2].map(() => new Set<number>());
  for (let s = 0; s < 20; s++) {
    const values = drawn(3, 'batch', s);
    for (let p = 0; p < 3; p++) {
      const from = values[p * 105] / 105;
      expect([...values.subarray(p * 105, (p + 1) * 105)]).toEqual(Array.from({ length: 105 }, (_, i) => from * 105 + i));
      others[p].add(from);
    }
  }
  expect(others.map(set => [...set].sort())).toEqual([
    [1, 2],
    [0, 2],
    [0, 1],
  ]);
  expect(() => imageReferences(job(1), 'batch', 1)).toThrow(/at least two images/);
});

it('are the same for a pair by itself as in a batch, and other ones for another draw or seed', () => {
  for (const kind of ['pixels', 'patches'] as const) {
    const single = drawn(1, kind, 3);
    expect(drawn(2, kind, 3).subarray(0, 105)).toEqual(single);
    expect(drawn(1, kind, 4)).not.toEqual(single);
    expect(drawn(1, kind, 3, 2)).not.toEqual(single);
  }
});
