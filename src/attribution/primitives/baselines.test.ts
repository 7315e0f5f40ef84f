import { expect, it } from 'vitest';
import { floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { hiddenBaseline } from './baselines.ts';

/** Two captions of three tokens, the second one padded behind its first two; two channels. */
const job = {
  ...{ modality: 'text', lengths: [3, 2] },
  hidden: floats([2, 3, 2], [1, 10, 2, 20, 6, 60, 4, 40, 8, 80, 100, 1000]),
} as unknown as TowerJob;
type Model = Parameters<typeof hiddenBaseline>[2];

it('mean-token gives every token the mean of its own pair, per channel; padding stays and does not count', async () => {
  const { shape, data } = await hiddenBaseline(job, 'mean-token', {} as Model);
  expect(shape).toEqual([2, 3, 2]);
  expect([...data]).toEqual([3, 30, 3, 30, 3, 30, 6, 60, 6, 60, 100, 1000]);
  // What it was made from is unchanged.
  expect(job.hidden.data[0]).toBe(1);
});

it('zero is zero everywhere', async () => {
  expect([...(await hiddenBaseline(job, 'zero', {} as Model)).data]).toEqual(Array(12).fill(0));
});
