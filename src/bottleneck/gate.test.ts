import { describe, expect, it } from 'vitest';
import { compile, grad, input, mul, square, sum } from '../graph/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { RandomStream } from '../tensor/random.ts';
import { asFloats, floats } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { gateInformation, gateNats, noisyGate } from './gate.ts';

const runtime = nodeRuntime({ threads: 1 });
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const normals = (name: string, length: number): Float32Array =>
  new RandomStream(3, `gate.test.${name}`).normals(0, 0, new Float32Array(length));

/** KL(N(mean, deviation²) ‖ N(0, 1)) by the trapezoid rule over ± 12 deviations. */
function integratedKl(mean: number, deviation: number): number {
  const steps = 20_000;
  const logDensity = (x: number, m: number, s: number): number => -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const x = mean + deviation * (-12 + (24 * i) / steps);
    const q = logDensity(x, mean, deviation);
    total += Math.exp(q) * (q - logDensity(x, 0, 1));
  }
  return (total * 24 * deviation) / steps;
}

describe('gateNats', () => {
  it.each([-6, -2, -0.5, 0, 0.7, 3, 5, 9])('is the divergence of the gated state from the prior, by integration, at alpha %d', alpha => {
    for (const standard of [-3, -0.2, 0, 1, 12])
      expect(gateNats(alpha, standard)).toBeCloseTo(integratedKl(sigmoid(alpha) * standard, 1 / (1 + Math.exp(alpha))), 8);
  });

  it('does not depend on the units of the hidden state: mean and deviation of the prior cancel', () => {
    const [hidden, mean, deviation, alpha] = [2.3, -0.7, 0.4, 1.1];
    const keep = sigmoid(alpha);
    // KL between normals with those means and deviations, in the state's own units.
    const [m, s] = [keep * hidden + (1 - keep) * mean, (1 - keep) * deviation];
    const kl = Math.log(deviation / s) + (s ** 2 + (m - mean) ** 2) / (2 * deviation ** 2) - 0.5;
    expect(gateNats(alpha, (hidden - mean) / deviation)).toBeCloseTo(kl, 12);
  });

  it('is nothing for a closed gate, alpha for a wide open one, finite and never negative', () => {
    for (const standard of [0, 1, 30]) {
      expect(gateNats(-40, standard)).toBeCloseTo(0, 12);
      expect(gateNats(40, standard)).toBeCloseTo(40 + (standard ** 2 - 1) / 2, 9);
      for (let alpha = -12; alpha <= 12; alpha += 0.25) expect(gateNats(alpha, standard)).toBeGreaterThan(0);
    }
    expect(gateNats(800, 1)).toBeCloseTo(800, 9);
    expect(gateNats(-800, 1)).toBeCloseTo(0, 12);
  });

  it('grows with alpha', () => {
    for (let alpha = -12; alpha < 12; alpha += 0.5) expect(gateNats(alpha + 0.5, 1.5)).toBeGreaterThan(gateNats(alpha, 1.5));
  });
});

describe('gateInformation', () => {
  const alpha = input('alpha', ['n']);
  const standard = input('standard', ['n']);
  const cost = gateInformation(alpha, standard);

  it('agrees with gateNats, and its gradient with central differences of it', async () => {
    const [slope] = grad(sum(cost), [alpha]);
    await using graph = await compile(runtime, { cost, slope });
    const alphas: number[] = [];
    const standards: number[] = [];
    for (const a of [-40, -12, -5, -1, 0, 0.3, 2, 5, 7, 12, 40])
      for (const h of [-4, 0, 0.5, 3]) {
        alphas.push(a);
        standards.push(h);
      }
    const n = alphas.length;
    const out = await graph.run({ alpha: floats([n], alphas), standard: floats([n], standards) });
    const expected = alphas.map((a, i) => gateNats(a, standards[i]));
    expectClose(asFloats(out.cost), expected, { rtol: 1e-6, atol: 1e-6 });
    const differences = alphas.map((a, i) => (gateNats(a + 1e-5, standards[i]) - gateNats(a - 1e-5, standards[i])) / 2e-5);
    expectClose(asFloats(out.slope), differences, { rtol: 1e-5, atol: 1e-6 });
  });
});

describe('noisyGate', () => {
  const [pairs, samples, tokens, width] = [2, 3, 4, 5];
  const data = {
    hidden: normals('hidden', pairs * tokens * width),
    noise: normals('noise', samples * tokens * width),
    mean: normals('mean', pairs * width),
    deviation: normals('deviation', pairs * width).map(v => 0.2 + Math.abs(v)),
  };
  const values = {
    hidden: input('hidden', [pairs, tokens, width]),
    noise: input('noise', [samples, tokens, width]),
    mean: input('mean', [pairs, 1, width]),
    deviation: input('deviation', [pairs, 1, width]),
  };
  const feeds = {
    hidden: floats([pairs, tokens, width], data.hidden),
    noise: floats([samples, tokens, width], data.noise),
    mean: floats([pairs, 1, width], data.mean),
    deviation: floats([pairs, 1, width], data.deviation),
  };

  /** z of every pair and sample, from the formula, float64. */
  function expected(alpha: ArrayLike<number>, channels: number, statistics: boolean): Float64Array {
    const out = new Float64Array(pairs * samples * tokens * width);
    for (let i = 0; i < out.length; i++) {
      const d = i % width;
      const n = Math.floor(i / width) % tokens;
      const row = Math.floor(i / (width * tokens));
      const [p, s] = [Math.floor(row / samples), row % samples];
      const keep = sigmoid(alpha[(p * tokens + n) * channels + (channels === 1 ? 0 : d)]);
      const noise = data.noise[(s * tokens + n) * width + d];
      const fill = statistics ? data.mean[p * width + d] + data.deviation[p * width + d] * noise : noise;
      out[i] = keep * data.hidden[(p * tokens + n) * width + d] + (1 - keep) * fill;
    }
    return out;
  }

  it.each([
    [width, true],
    [width, false],
    [1, true],
    [1, false],
  ])('mixes state and noise with %d gates per token, statistics %s, and has the gradient of that', async (channels, statistics) => {
    const alpha = input('alpha', [pairs, tokens, channels]);
    const z = noisyGate(values.hidden, alpha, values.noise, statistics ? values : undefined);
    const weights = normals('weights', pairs * samples * tokens * width);
    const loss = sum(mul(square(z), input('weights', [pairs * samples, tokens, width])));
    const [slope] = grad(loss, [alpha]);
    await using graph = await compile(runtime, { z, slope });
    const at = normals('alpha', pairs * tokens * channels).map(v => 2 * v);
    const shape = [pairs * samples, tokens, width];
    const out = await graph.run({ ...feeds, alpha: floats([pairs, tokens, channels], at), weights: floats(shape, weights) });
    expect(out.z.shape).toEqual(shape);
    expectClose(asFloats(out.z), expected(at, channels, statistics), { rtol: 1e-5, atol: 1e-6 });
    const lossAt = (a: ArrayLike<number>): number =>
      expected(a, channels, statistics).reduce((total, v, i) => total + weights[i] * v * v, 0);
    const differences = Array.from(at, (_, i) => {
      const moved = (by: number): number[] => Array.from(at, (v, j) => v + (j === i ? by : 0));
      return (lossAt(moved(1e-5)) - lossAt(moved(-1e-5))) / 2e-5;
    });
    expectClose(asFloats(out.slope), differences, { rtol: 1e-4, atol: 1e-5 });
  });

  it('leaves the state unchanged where the gate is open, gives pure noise where it is closed, and is finite at ± 40', async () => {
    const alpha = input('alpha', [pairs, tokens, width]);
    await using graph = await compile(runtime, { z: noisyGate(values.hidden, alpha, values.noise, values) });
    for (const at of [-40, -12, 12, 40]) {
      const all = new Float32Array(pairs * tokens * width).fill(at);
      const { z } = await graph.run({ ...feeds, alpha: floats([pairs, tokens, width], all) });
      expectClose(asFloats(z), expected(all.fill(Math.sign(at) * 800), width, true), { rtol: 1e-4, atol: 1e-4 });
    }
  });

  it('has the mean and variance that the cost assumes', async () => {
    const count = 20_000;
    const alpha = input('alpha', [1, 1, 2]);
    const z = noisyGate(input('hidden', [1, 1, 2]), alpha, input('noise', [count, 1, 2]), {
      mean: input('mean', [1, 1, 2]),
      deviation: input('deviation', [1, 1, 2]),
    });
    await using graph = await compile(runtime, { z });
    const [h, mu, s, a] = [
      [2, -1],
      [0.5, 3],
      [0.7, 2],
      [0.4, -1.2],
    ];
    const shape = [1, 1, 2];
    const out = await graph.run({
      hidden: floats(shape, h),
      alpha: floats(shape, a),
      mean: floats(shape, mu),
      deviation: floats(shape, s),
      noise: floats([count, 1, 2], normals('many', count * 2)),
    });
    for (const d of [0, 1]) {
      const channel = asFloats(out.z).filter((_, i) => i % 2 === d);
      const mean = channel.reduce((x, y) => x + y, 0) / count;
      const variance = channel.reduce((x, y) => x + (y - mean) ** 2, 0) / (count - 1);
      const keep = sigmoid(a[d]);
      const spread = (1 - keep) * s[d];
      // Four standard errors.
      expect(Math.abs(mean - (keep * h[d] + (1 - keep) * mu[d]))).toBeLessThan((4 * spread) / Math.sqrt(count));
      expect(Math.abs(variance / spread ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    }
  });
});
