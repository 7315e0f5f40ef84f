import { describe, expect, it } from 'vitest';
import { AdamW, type Parameter } from '../optim/adamw.ts';
import { GroupedAdamW } from './grouped-adamw.ts';

const OPTIONS = { maxGradNorm: 1, weightDecay: 0.1 };
const start = (): Parameter[] => [
  { name: 'a', shape: [2, 2], data: Float32Array.of(1, -2, 3, 4) },
  { name: 'b', shape: [1, 2], data: Float32Array.of(0.5, -1) },
];
const gradients = (t: number) =>
  new Map([
    ['a', Float32Array.of(t, 2, -3, 0.5)],
    ['b', Float32Array.of(-t, 1)],
  ]);

describe('AdamW in groups', () => {
  it('is AdamW where the factors are 1, the clip over all of them', () => {
    const [whole, grouped] = [start(), start()];
    const one = new AdamW(whole, OPTIONS);
    const two = new GroupedAdamW(
      grouped.map(p => ({ parameters: [p], factor: 1 })),
      OPTIONS,
    );
    for (let t = 1; t < 5; t++) expect(two.step(gradients(t), 0.1)).toBe(one.step(gradients(t), 0.1));
    expect(grouped).toEqual(whole);
    expect(two.tensors()).toEqual(one.tensors());
    expect(two.stepsTaken).toBe(4);
  });

  it('moves a group by its own rate, and goes on from a saved state', () => {
    const at = (factor: number) => {
      const parameters = start();
      return {
        parameters,
        optimizer: new GroupedAdamW(
          [
            { parameters: [parameters[0]], factor: 1 },
            { parameters: [parameters[1]], factor },
          ],
          OPTIONS,
        ),
      };
    };
    const [half, still] = [at(0.5), at(0)];
    for (let t = 1; t < 4; t++) for (const { optimizer } of [half, still]) optimizer.step(gradients(t), 0.1);
    expect(still.parameters[1]).toEqual(start()[1]);
    expect(half.parameters[0]).toEqual(still.parameters[0]);
    const reference = start();
    const slow = new AdamW(reference, OPTIONS);
    for (let t = 1; t < 4; t++) slow.step(gradients(t), 0.05);
    expect(half.parameters[1]).toEqual(reference[1]);
    const resumed = new GroupedAdamW([{ parameters: half.parameters.map(p => ({ ...p, data: p.data.slice() })), factor: 1 }], OPTIONS);
    resumed.load(3, half.optimizer.tensors());
    expect(resumed.stepsTaken).toBe(3);
    expect(resumed.tensors()).toEqual(half.optimizer.tensors());
    expect(() => resumed.load(3, new Map())).toThrow('lacks "first.a"');
    half.optimizer.step(gradients(9), 0.1);
    expect(half.optimizer.stepsTaken).toBe(4);
  });
});
