import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateNats } from '../../bottleneck/gate.ts';
import { compileGate } from '../../bottleneck/gate-graph.ts';
import type { GateProblem } from '../../bottleneck/gate-problem.ts';
import { optimiseGate } from '../../bottleneck/optimise-gate.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { MethodEntry } from '../method.ts';
import { encodePairs } from '../pair.ts';
import { createMethod, findMethod } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { CompressionNetwork, inverseDistance } from './adaib.ts';
import { gridSmoothing } from './iba.ts';

/** Bytes that hold a step of the gate for one pair, and not for a second one. */
const ONE_STEP = 1_500_000;

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const VARIANTS = ['m2ib-token', 'iba', 'coiba', 'adaib'];
async function explain(name: string, options: Record<string, unknown> = {}, run: object = {}): Promise<Attribution[]> {
  await using method = createMethod(findMethod(name) as MethodEntry, model, options);
  return method.attributeAll(PAIRS, { seed: 3, ...run });
}

describe.each(VARIANTS)('%s', name => {
  it('gives nats of image and caption, the same one by one as in a batch, and other ones for another seed or target', async () => {
    const all = await explain(name);
    for (const { image, text, unit } of all) {
      expect(unit).toBe('nats');
      expect(Math.min(...image!.tokens, ...textValues(all[0]))).toBeGreaterThanOrEqual(0);
      expect(image!.convergence.fit).toHaveLength(name === 'iba' ? 10 : 6);
      expect(text!.totalBits).toBeGreaterThan(0);
      expect(new Set(image!.patches).size).toBeGreaterThan(8);
    }
    await using method = createMethod(findMethod(name) as MethodEntry, model);
    const single = await method.attribute(PAIRS[3], { seed: 3 });
    const largest = Math.max(...all[3].image!.tokens);
    expectClose(single.image!.tokens, all[3].image!.tokens, { rtol: 0, atol: 2e-3 * largest, label: 'alone' });
    expectClose(textValues(single), textValues(all[3]), { rtol: 5e-3, atol: 1e-3 * Math.max(...textValues(single)) });
    const other = await method.attribute(PAIRS[3], { seed: 4 });
    expect(other.image!.tokens).not.toEqual(single.image!.tokens);
    const against = await method.attribute(PAIRS[3], { seed: 3, modality: 'image', target: { against: 'green boat' } });
    expect(against.image!.tokens).not.toEqual(single.image!.tokens);
    const small = await method.attributeAll(PAIRS, { seed: 3, maxMemory: ONE_STEP, modality: 'image' });
    expectClose(small[3].image!.tokens, single.image!.tokens, { rtol: 0, atol: 2e-3 * largest, label: 'one by one' });
  });

  it('lets less through where information is dearer', async () => {
    const bits = async (beta: number): Promise<number> =>
      sum((await explain(name, { beta, steps: 15 }, { modality: 'image' }))[1].image!.tokens);
    expect(await bits(0.01)).toBeGreaterThan(await bits(100));
  });
});

describe('a gate per token', () => {
  it('is CoIBA with one place', async () => {
    // Two of four blocks above: the last is for the pooled token, so nothing is left for a second gate.
    const [one] = await explain('coiba', { layer: 2 }, { modality: 'image' });
    const [plain] = await explain('m2ib-token', { layer: 2 }, { modality: 'image' });
    expectClose(one.image!.tokens, plain.image!.tokens, { rtol: 1e-5, atol: 1e-4 });
  });

  it('has the same value for every channel: the nats of a token follow from one alpha', async () => {
    const encoded = await encodePairs(model, [PAIRS[0]], { image: 1, text: -1 });
    const problem: GateProblem = {
      ...{ runtime: model.runtime, tower: model.image, layer: 1, hidden: encoded.image.hidden, inputs: encoded.image.inputs },
      ...{ target: encoded.text.features, seed: 1 },
      options: { beta: 1, steps: 3, learningRate: 1, batchSize: 2, antithetic: true, perToken: true, alphaStart: 5, official: false },
    };
    await using graph = await compileGate({ ...problem, standardised: false });
    const [{ alpha, tokens }] = await optimiseGate(problem, graph);
    expect(alpha).toHaveLength(17);
    const width = encoded.image.hidden.shape[2];
    const nats = Array.from({ length: width }, (_, d) => gateNats(alpha[4], encoded.image.hidden.data[4 * width + d]));
    expect(tokens[4]).toBeCloseTo(sum(nats), 3);
  });
});

describe('CoIBA', () => {
  it('counts the mean cost of its places, and moves with them', async () => {
    const [two] = await explain('coiba', { layer: 1, steps: 4 }, { modality: 'image' });
    const [one] = await explain('m2ib-token', { layer: 1, steps: 4 }, { modality: 'image' });
    expect(two.image!.tokens).not.toEqual(one.image!.tokens);
  });
});

describe("IBA's smoothing", () => {
  it('is a Gaussian whose rows add up to one; prefix tokens keep to themselves', () => {
    const { shape, data } = gridSmoothing([3, 4], 1, 1);
    expect(shape).toEqual([13, 13]);
    for (let i = 0; i < 13; i++) expect(sum(data.subarray(i * 13, (i + 1) * 13))).toBeCloseTo(1, 5);
    expect([data[0], data[1], data[13]]).toEqual([1, 0, 0]);
    // A patch in the middle against its neighbour: e^(-1/2).
    const centre = (1 + 1 * 4 + 1) * 13;
    expect(data[centre + 1 + 1 * 4 + 2] / data[centre + 1 + 1 * 4 + 1]).toBeCloseTo(Math.exp(-0.5), 5);
  });

  it('changes nothing as the identity, in the graph and in the read-out', async () => {
    const encoded = await encodePairs(model, [PAIRS[0]], { image: 1, text: -1 });
    const identity = floats(
      [17, 17],
      Float32Array.from({ length: 289 }, (_, i) => (i % 18 === 0 ? 1 : 0)),
    );
    const problem: GateProblem = {
      ...{ runtime: model.runtime, tower: model.image, layer: 1, hidden: encoded.image.hidden, inputs: encoded.image.inputs },
      ...{ target: encoded.text.features, seed: 1 },
      options: { beta: 1, steps: 4, learningRate: 1, batchSize: 2, antithetic: true, perToken: false, alphaStart: 5, official: false },
    };
    await using plain = await compileGate({ ...problem, standardised: false });
    await using smooth = await compileGate({ ...problem, smoothing: identity, standardised: false });
    const [a] = await optimiseGate(problem, plain);
    const [b] = await optimiseGate({ ...problem, smoothing: identity }, smooth);
    expectClose(b.tokens, a.tokens, { rtol: 1e-3, atol: 1e-2 });
  });

  it('warns where a data set’s statistics are not there', async () => {
    const warnings: string[] = [];
    await explain('iba', {}, { modality: 'image', onWarning: (text: string) => warnings.push(text) });
    expect(warnings).toEqual([expect.stringMatching(/feature_statistics\.safetensors is not there/)]);
  });
});

describe("AdaIB's weights", () => {
  it('move against the sign of every derivative of the formula', () => {
    // Adam's first step is the learning rate times the sign, so what g loses is the sum of its derivatives' sizes.
    const [f, beta, seed] = [0.8, 1, 5];
    const reader = new RandomStream(seed, 'adaib.network').reader(0, 0);
    let slope = 1;
    for (let i = 0; i < 32; i++) {
      const [w1, b1, w2] = [2 * reader.uniform() - 1, 2 * reader.uniform() - 1, (2 * reader.uniform() - 1) / Math.sqrt(32)];
      if (w1 * f + b1 > 0) slope += w1 * f + b1 + Math.abs(w2) * (1 + f);
    }
    for (const kl of [2, -2]) {
      const network = new CompressionNetwork(f, beta, seed);
      network.step(kl);
      const raw = (g: number): number => Math.log(Math.expm1(g));
      expect((raw(network.value()) - raw(beta)) / (-Math.sign(kl) * 1e-3 * slope)).toBeCloseTo(1, 1);
    }
  });

  it('start at beta, and fall as they cost', () => {
    for (const beta of [0.1, 1, 3]) expect(new CompressionNetwork(0.8, beta, 0).value()).toBeCloseTo(beta, 4);
    const network = new CompressionNetwork(0.8, 1, 0);
    for (let i = 0; i < 50; i++) network.step(2);
    expect(network.value()).toBeLessThan(0.99);
    const idle = new CompressionNetwork(0.8, 1, 0);
    for (let i = 0; i < 5; i++) idle.step(0);
    expect(idle.value()).toBeCloseTo(1, 5);
  });

  it('weigh a close pair more', () => {
    expect(inverseDistance(0.5)).toBeCloseTo(1, 6);
    expect(inverseDistance(0.9)).toBeGreaterThan(inverseDistance(0.1));
    expect(inverseDistance(1)).toBe(10);
  });
});
