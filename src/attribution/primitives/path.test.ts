import { afterEach, describe, expect, it } from 'vitest';
import { cos, mul, sin, sqrt, sub } from '../../graph/index.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { row } from '../rows.ts';
import { form, normals, type ToyRun, toyRun } from '../testing/toy-run.ts';
import { integratePath, pathPoints } from './path.ts';
import { pointGradients } from './point-gradients.ts';
import { QUADRATURES, quadrature } from './quadrature.ts';

const SHAPE = [3, 4, 5];
const hidden = normals('state', SHAPE, 0.2);
const baseline = normals('baseline', SHAPE, 0.1);
const weights = normals('weights', SHAPE.slice(1), 0.3);
/** Bytes that one point of the toy fits into, and two do not. */
const ONE_POINT = 2_500;
const toys: ToyRun[] = [];
afterEach(async () => {
  for (const { run } of toys.splice(0)) await run.release();
});

function toy(kind: 'linear' | 'sine', maxMemory?: number): ToyRun {
  // Unit features, so that their normalisation changes nothing: (l, √(1 − l²)) and (sin l, cos l).
  const one =
    kind === 'linear'
      ? toyRun(
          hidden,
          weights,
          l => [l, sqrt(sub(1, mul(l, l)))],
          l => l,
          maxMemory,
        )
      : toyRun(
          hidden,
          weights,
          l => [sin(mul(l, 3)), cos(mul(l, 3))],
          l => Math.sin(3 * l),
          maxMemory,
        );
  toys.push(one);
  return one;
}

const both = [0, 1, 2].map(p => [form(weights, row(hidden, p)), form(weights, row(baseline, p))]);

it.each(QUADRATURES)('of a linear target are input × gradient by any rule, and complete: %s', async rule => {
  for (const n of [1, 3]) {
    const { run, job } = toy('linear');
    const { values, deltas } = await integratePath(run, job, 'hidden', hidden, baseline, quadrature(rule, n));
    const expected = hidden.data.map((x, i) => (x - baseline.data[i]) * weights.data[i % weights.data.length]);
    expectClose(values.data, expected, { rtol: 1e-4, atol: 1e-6 });
    expectClose(deltas, [0, 0, 0], { atol: 1e-6 });
  }
});

describe('of a sine of a linear form', () => {
  const run = async (rule: (typeof QUADRATURES)[number], n: number) => {
    const { run, job } = toy('sine');
    return integratePath(run, job, 'hidden', hidden, baseline, quadrature(rule, n));
  };

  it('are the closed form', async () => {
    const { values, deltas } = await run('gauss-legendre', 12);
    const expected = hidden.data.map((x, i) => {
      const [l, b] = both[Math.floor(i / weights.data.length)];
      return (((x - baseline.data[i]) * weights.data[i % weights.data.length]) / (l - b)) * (Math.sin(3 * l) - Math.sin(3 * b));
    });
    expectClose(values.data, expected, { rtol: 1e-4, atol: 1e-6 });
    expectClose(deltas, [0, 0, 0], { atol: 2e-6 });
  });

  it('have a completeness gap that shrinks with the number of points at the rate of the rule', async () => {
    for (const [rule, rate] of [
      ['right-riemann', 2],
      ['left-riemann', 2],
      ['midpoint', 4],
    ] as const) {
      const [few, many] = [(await run(rule, 4)).deltas, (await run(rule, 8)).deltas];
      few.forEach((d, p) => {
        // The sum of Riemann's rule and what is missing to the difference of the scores.
        const { nodes, weights: w } = quadrature(rule, 4);
        const [l, b] = both[p];
        const sum = nodes.reduce((total, a, k) => total + w[k] * 3 * Math.cos(3 * (b + a * (l - b))) * (l - b), 0);
        expect(d).toBeCloseTo(sum - (Math.sin(3 * l) - Math.sin(3 * b)), 5);
        expect(Math.abs(d / many[p])).toBeGreaterThan(rate * 0.7);
        expect(Math.abs(d / many[p])).toBeLessThan(rate * 1.4);
      });
    }
  });
});

it('are the same in chunks of any size, and count every point once', async () => {
  const rule = quadrature('midpoint', 7);
  const all: Float32Array[] = [];
  for (const memory of [ONE_POINT, 20_000, 2 ** 30]) {
    const { run, job, seen } = toy('sine', memory);
    all.push((await integratePath(run, job, 'hidden', hidden, baseline, rule)).values.data);
    expect(seen.points).toBe(3 * pathPoints(rule));
    if (memory === ONE_POINT) expect(seen.chunks).toBe(seen.points);
    if (memory === 2 ** 30) expect(seen.chunks).toBe(1);
  }
  for (const values of all) expectClose(values, all[0], { rtol: 1e-5, atol: 1e-7 });
});

it('evaluate the baseline once more where the rule does not stand there', () => {
  expect(pathPoints(quadrature('midpoint', 7))).toBe(8);
  expect(pathPoints(quadrature('gauss-legendre', 3))).toBe(4);
  expect(pathPoints(quadrature('left-riemann', 7))).toBe(7);
});

it('give each point its own gradient and score, in order', async () => {
  const { run, job } = toy('sine', 30_000);
  const order: number[] = [];
  await pointGradients(run, job, 'hidden', hidden, {
    count: 5,
    fill: (p, s, out) => out.set(row(hidden, p).map(v => v * s)),
    take(p, s, gradient, score) {
      const l = both[p][0] * s;
      order.push(p * 5 + s);
      expect(score).toBeCloseTo(Math.sin(3 * l), 5);
      expectClose(
        gradient,
        weights.data.map(w => 3 * Math.cos(3 * l) * w),
        { rtol: 1e-4, atol: 1e-6 },
      );
    },
  });
  expect(order).toEqual(Array.from({ length: 15 }, (_, i) => i));
});

it('stop where the run stops them', async () => {
  const { run, job } = toy('sine', ONE_POINT);
  let chunks = 0;
  const stopping = {
    ...run,
    advance() {
      if (++chunks === 3) throw new Error('enough');
    },
  };
  const path = integratePath(stopping, job, 'hidden', hidden, floats(SHAPE, new Float32Array(60)), quadrature('midpoint', 9));
  await expect(path).rejects.toThrow('enough');
  expect(chunks).toBe(3);
});
