import { describe, expect, it } from 'vitest';
import { constant, matmul, mul, sum } from '../graph/index.ts';
import { RandomStream } from '../tensor/random.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { gateNats } from './gate.ts';
import type { GateTower, GateWeights } from './gate-problem.ts';
import { EMBEDDING, featuresOf, normals, solve, TOKENS, toy, WIDTH } from './testing/linear-tower.ts';

const SIZE = TOKENS * WIDTH;
const hidden = normals('toy.hidden', [1, TOKENS, WIDTH]);
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
/** KL from λ itself, not from α. */
const natsOf = (keep: number, h: number): number => -Math.log(1 - keep) + 0.5 * ((1 - keep) ** 2 + (keep * h) ** 2 - 1);

describe('weights of the two terms (AdaIB)', () => {
  const fixed = (fit: number, compression: number, calls: number[][] = []): GateWeights => ({
    fit: () => fit,
    compression: () => compression,
    update: kl => void calls.push([...kl]),
  });

  it('of one and beta are the plain gate, to the bit', async () => {
    const [plain] = await solve(toy());
    const [weighted] = await solve(toy({ weights: fixed(1, 0.1) }));
    expect(weighted).toEqual(plain);
  });

  it('twice as large both leave the optimum where it is, and the fit’s curve unweighted', async () => {
    const [plain] = await solve(toy());
    const [weighted] = await solve(toy({ weights: fixed(2, 0.2) }));
    expectClose(weighted.alpha, plain.alpha, { rtol: 1e-3, atol: 1e-3 });
    expectClose(weighted.fit, plain.fit, { rtol: 1e-4, atol: 1e-4 });
    expectClose(
      weighted.compression,
      plain.compression.map(c => 2 * c),
      { rtol: 1e-3, atol: 1e-5 },
    );
  });

  it('without a fit close every gate; a heavier one keeps more', async () => {
    const kept = async (fit: number): Promise<number> =>
      meanOf((await solve(toy({ weights: fixed(fit, 0.3), options: { steps: 40 } })))[0].tokens);
    const [none, one, four] = [await kept(0), await kept(1), await kept(4)];
    expect(none).toBeLessThan(0.01);
    expect(four).toBeGreaterThan(one);
    expect(one).toBeGreaterThan(none);
  });

  it('receive the mean nats of each step, free of their own weight, and may change with them', async () => {
    const calls: number[][] = [];
    await solve(toy({ weights: fixed(1, 7, calls), options: { steps: 3, alphaStart: 2 } }));
    expect(calls).toHaveLength(3);
    expect(calls[0][0]).toBeCloseTo(meanOf(hidden.data.map(h => gateNats(2, h))), 5);
    let price = 0.1;
    const rising: GateWeights = {
      fit: () => 1,
      compression: () => price,
      update: () => {
        price *= 2;
      },
    };
    const [{ compression }] = await solve(toy({ weights: rising, options: { steps: 2, learningRate: 1e-9 } }));
    expect(compression[1] / compression[0]).toBeCloseTo(2, 4);
  });
});

describe('a largest norm of the gradient', () => {
  it('above every gradient changes nothing; next to none stops the gate', async () => {
    const [plain] = await solve(toy());
    const [wide] = await solve(toy({ maxGradientNorm: 1e6 }));
    expect(wide).toEqual(plain);
    // Below Adam's epsilon a step is smaller than the learning rate.
    const [narrow] = await solve(toy({ maxGradientNorm: 1e-12 }));
    for (const a of narrow.alpha) expect(Math.abs(a - 5)).toBeLessThan(0.01);
  });

  it('is each pair’s own', async () => {
    const two = normals('toy.two', [2, TOKENS, WIDTH]);
    const weights: GateWeights = { fit: p => [1, 100][p], compression: p => [0.1, 10][p], update: () => {} };
    const problem = toy({ hidden: two, maxGradientNorm: 1e-3, weights });
    const [first] = await solve(problem);
    const single = toy({ hidden: floats([1, TOKENS, WIDTH], two.data.slice(0, SIZE)), maxGradientNorm: 1e-3, weights });
    expectClose(first.alpha, (await solve(single))[0].alpha, { rtol: 1e-4, atol: 1e-4 });
  });
});

describe('a gate averaged over neighbours (IBA)', () => {
  /** A half of each token's own λ and a half of the next one's. */
  const smoothing = floats(
    [TOKENS, TOKENS],
    Float32Array.from({ length: TOKENS * TOKENS }, (_, i) => {
      const [n, m] = [Math.floor(i / TOKENS), i % TOKENS];
      return m === n || m === (n + 1) % TOKENS ? 0.5 : 0;
    }),
  );

  it.each([false, true])('costs what the averaged λ costs; per token: %s', async perToken => {
    const [result] = await solve(toy({ smoothing, trace: true, options: { perToken, steps: 6 } }));
    const channels = perToken ? 1 : WIDTH;
    const cost = (alpha: Float32Array): number[] =>
      Array.from(hidden.data, (h, i) => {
        const [n, c] = [Math.floor(i / WIDTH), perToken ? 0 : i % WIDTH];
        return natsOf((sigmoid(alpha[n * channels + c]) + sigmoid(alpha[((n + 1) % TOKENS) * channels + c])) / 2, h);
      });
    for (let step = 0; step < 6; step++) expect(result.compression[step]).toBeCloseTo(0.1 * meanOf(cost(result.alphas![step])), 5);
    expectClose(result.information, cost(result.alpha), { rtol: 1e-3, atol: 1e-4 });
  });

  it('keeps neighbours of what matters too', async () => {
    const [smooth] = await solve(toy({ smoothing, options: { steps: 40 } }));
    const [plain] = await solve(toy({ options: { steps: 40 } }));
    // Token 1 is averaged with token 2, the one that is read: its λ is at least a half of what token 2's α gives.
    const share = (tokens: Float32Array): number => tokens[1] / tokens[2];
    expect(share(plain.tokens)).toBeLessThan(0.01);
    expect(share(smooth.tokens)).toBeGreaterThan(0.05);
  });
});

describe('one gate at two places (CoIBA)', () => {
  /** Block 1 turns h into -1.5 h; the features read all tokens of what passes. */
  const twoBlocks: GateTower = {
    modality: 'image',
    suffix: (_layer, state, _samples, _inputs, options) => {
      const after = mul(state, -1.5);
      const passed = options?.tap ? options.tap(1, after) : after;
      return matmul(sum(passed, 1), constant(normals('toy.map', [WIDTH, EMBEDDING])));
    },
    suffixFeeds: () => ({}),
  };
  const above = floats(
    hidden.shape,
    hidden.data.map(h => -1.5 * h),
  );
  const target = featuresOf(above, () => 1);
  const problem = (options: object = {}) =>
    toy({ tower: twoBlocks, target, upper: [{ layer: 1, hidden: above }], options: { perToken: true, ...options } });

  it('costs the mean of both, by the states as they are undisturbed', async () => {
    const [{ compression, tokens, alpha, alphas }] = await solve({ ...problem(), trace: true });
    const cost = (a: Float32Array): number[] =>
      Array.from(hidden.data, (h, i) => (gateNats(a[Math.floor(i / WIDTH)], h) + gateNats(a[Math.floor(i / WIDTH)], -1.5 * h)) / 2);
    for (const [step, value] of compression.entries()) expect(value).toBeCloseTo(0.1 * meanOf(cost(alphas![step])), 5);
    const nats = cost(alpha);
    for (let n = 0; n < TOKENS; n++) expect(tokens[n]).toBeCloseTo(WIDTH * meanOf(nats.slice(n * WIDTH, (n + 1) * WIDTH)), 3);
  });

  it('fits what comes through both gates, with noise of each place’s own', async () => {
    const draw = (stream: string): Float32Array => new RandomStream(1, stream).normals(0, 0, new Float32Array(SIZE));
    const [lower, upper] = [draw('m2ib.image'), draw('gate.image.1')];
    expect(lower).not.toEqual(upper);
    const keep = sigmoid(0.3);
    const passed = (sign: number): FloatTensor =>
      floats(
        hidden.shape,
        hidden.data.map((h, i) => keep * -1.5 * (keep * h + (1 - keep) * sign * lower[i]) + (1 - keep) * sign * upper[i]),
      );
    const cosine = (features: Float32Array): number => {
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((s, v, i) => s + v * b[i], 0);
      return dot(features, target.data) / Math.sqrt(dot(features, features) * dot(target.data, target.data));
    };
    const expected = meanOf([1, -1].map(sign => cosine(featuresOf(passed(sign), () => 1).data)));
    const [{ fit }] = await solve(problem({ alphaStart: 0.3, steps: 1, batchSize: 2 }));
    expect(fit[0]).toBeCloseTo(expected, 5);
  });

  it('with statistics of each place', async () => {
    const statistics = [{ mean: new Float32Array(WIDTH).fill(0.5), deviation: new Float32Array(WIDTH).fill(2) }];
    const upperStatistics = [{ mean: new Float32Array(WIDTH).fill(-1), deviation: new Float32Array(WIDTH).fill(3) }];
    const given = {
      ...problem({ alphaStart: 1, steps: 1 }),
      statistics,
      upper: [{ layer: 1, hidden: above, statistics: upperStatistics }],
    };
    const [{ compression }] = await solve(given);
    const cost = hidden.data.map(h => (gateNats(1, (h - 0.5) / 2) + gateNats(1, (-1.5 * h + 1) / 3)) / 2);
    expect(compression[0]).toBeCloseTo(0.1 * meanOf(cost), 6);
  });
});
