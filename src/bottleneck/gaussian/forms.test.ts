/** The forms beside the published one: passing on from the start, controls, what is charged. Every value is worked out again in plain numbers. */
import { describe, expect, it } from 'vitest';
import { add, compile, grad, input, mul, sum, type Value } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { type BottleneckConfig, parseBottleneckConfig } from './config.ts';
import { bottleneckTensors, gaussianBottleneck, initialBottleneck } from './module.ts';
import { bottleneckPenalty, IN_USE } from './penalty.ts';
import { BETA_INPUT, bottleneckNoise, trainingBottleneck } from './train.ts';

const runtime = nodeRuntime({ threads: 1 });
const [B, T, D] = [2, 5, 4];
const SCALE = { visual: 50, text: 20 };
const settings = (given: object = {}): BottleneckConfig => parseBottleneckConfig({ bottleneck_layers: [1], ...given }, 'test');
const pass = (given: object = {}): BottleneckConfig => settings({ bottleneck_init: 'pass', stream_scale: [SCALE], ...given });
const normals = (name: string, shape: readonly number[], spread = 1): FloatTensor =>
  floats(
    shape,
    new RandomStream(7, name).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b))).map(v => v * spread),
  );
/** 1 = text, 2 = image, 0 = padding. */
const MODALITY = ints([B, T], [1, 2, 2, 1, 1, 2, 2, 1, 1, 0]);
const LABELS = ints([B, T], [-100, -100, -100, -100, 5, -100, -100, -100, 9, -100]);
const IMAGE = [1, 2, 5, 6];
const PROMPT = [0, 3, 7];
const FEEDS: Record<string, Tensor> = {
  hidden: normals('hidden', [B, T, D], 30),
  noise: normals('noise', [B, T, D]),
  alpha: floats([], [0.4]),
  modality: MODALITY,
  labels: LABELS,
};
const hidden = Array.from(FEEDS.hidden.data, Number);
const noise = Array.from(FEEDS.noise.data, Number);
/** s of element i. */
const scaleAt = (i: number): number => (Number(MODALITY.data[Math.floor(i / D)]) === 2 ? SCALE.visual : SCALE.text);

const weightsOf = (config: BottleneckConfig, spread = 1): Record<string, FloatTensor> =>
  Object.fromEntries([...bottleneckTensors(config, D)].map(([name, v]) => [name, normals(name, v.shape as number[], spread)]));
const freshWeights = (config: BottleneckConfig): Record<string, FloatTensor> =>
  Object.fromEntries(initialBottleneck(config, D, 3).map(({ name, shape, data }) => [name, floats(shape, data)]));

function traced(config: BottleneckConfig, answering = false) {
  const p = trainableParameters();
  const [h, eps] = [input('hidden', ['batch', 'seq', D]), input('noise', ['batch', 'seq', D])];
  const [modality, labels] = ['modality', 'labels'].map(name => input(name, ['batch', 'seq'], 'int32'));
  const state = gaussianBottleneck(p, config, 1, h, { modality, noise: answering ? undefined : eps, alpha: input('alpha', []) });
  return { p, h, state, modality, labels, penalty: () => bottleneckPenalty(config, state, { modality, labels }) };
}

async function run(outputs: Record<string, Value>, feeds: Record<string, Tensor>): Promise<Record<string, number[]>> {
  await using graph = await compile(runtime, outputs);
  const out = await graph.run({ ...FEEDS, ...feeds });
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

describe('bottleneck_init pass', () => {
  it('begins with μ = h/s and σ² = 0.1, so that h goes on, and its KL is that of h/s', async () => {
    const config = pass();
    const [train, answer] = [traced(config), traced(config, true)];
    const { visual, text } = train.penalty();
    const out = await run(
      { z: train.state.hidden, mean: train.state.mean, answer: answer.state.hidden, visual, text },
      freshWeights(config),
    );
    expectClose(
      out.mean,
      hidden.map((v, i) => v / scaleAt(i)),
      { rtol: 1e-6 },
    );
    const deviation = Math.exp(-config.log_variance_limit / 2);
    expectClose(
      out.z,
      hidden.map((v, i) => v + 0.4 * scaleAt(i) * deviation * noise[i]),
      { rtol: 1e-5, atol: 1e-5 },
    );
    expectClose(out.answer, hidden, { rtol: 1e-6, atol: 1e-6 });
    const kl = (tokens: readonly number[]): number => {
      const values = tokens.flatMap(t => hidden.slice(t * D, (t + 1) * D).map((v, k) => v / scaleAt(t * D + k)));
      const variance = deviation ** 2;
      return values.reduce((a, m) => a + 0.5 * (m * m + variance - 1 - Math.log(variance)), 0) / values.length;
    };
    expectClose([...out.visual, ...out.text], [kl(IMAGE), kl(PROMPT)], { rtol: 1e-5 });
  });

  it('is the published form of h/s, shifted by h/s: (1 − α) h + α s (h/s + f(h/s) + σ ε)', async () => {
    const [config, published] = [pass(), settings()];
    const weights = weightsOf(config);
    const inUnits = floats(
      [B, T, D],
      hidden.map((v, i) => v / scaleAt(i)),
    );
    const plain = await run(
      { mean: traced(published).state.mean, variance: traced(published).state.logVariance },
      { ...weights, hidden: inUnits },
    );
    const { z } = await run({ z: traced(config).state.hidden }, weights);
    const sample = plain.mean.map((m, i) => inUnits.data[i] + m + Math.exp(plain.variance[i] / 2) * noise[i]);
    expectClose(
      z,
      hidden.map((v, i) => 0.6 * v + 0.4 * scaleAt(i) * sample[i]),
      { rtol: 1e-5, atol: 1e-4 },
    );
  });

  it('gives fc2 gradients at its start, and those that differences show', async () => {
    const config = pass({ log_variance_limit: 50, kl_charge: 'token', free_nats: 2 });
    const { p, h, state, penalty } = traced(config);
    const { visualCharge, textCharge } = penalty();
    const loss = add(sum(mul(state.hidden, mul(input('noise', ['batch', 'seq', D]), 0.02))), add(visualCharge, textCharge));
    const names = [...p.all.keys()];
    const slopes = grad(loss, [h, ...p.all.values()]);
    const outputs = { loss, ...Object.fromEntries(slopes.map((g, i) => [`g.${['hidden', ...names][i]}`, g])) };
    await using graph = await compile(runtime, outputs);
    const start = await graph.run({ ...FEEDS, ...freshWeights(config) });
    expect(start['g.bottleneck.1.visual.fc2.weight'].data.some(v => v !== 0)).toBe(true);
    const point: Record<string, Tensor> = { ...FEEDS, ...weightsOf(config, 0.3) };
    const at = await graph.run(point);
    for (const name of ['hidden', ...names]) {
      const direction = normals(`direction ${name}`, point[name].shape as number[], name === 'hidden' ? 10 : 1);
      const moved = async (by: number): Promise<number> => {
        const data = Float32Array.from(point[name].data as Float32Array, (v, i) => v + by * direction.data[i]);
        return Number((await graph.run({ ...point, [name]: floats(direction.shape, data) }, { outputs: ['loss'] })).loss.data[0]);
      };
      const slope = Array.from(at[`g.${name}`].data, Number).reduce((a, g, i) => a + g * direction.data[i], 0);
      expect(Math.abs(slope), name).toBeGreaterThan(0.01);
      expectClose([((await moved(0.01)) - (await moved(-0.01))) / 0.02], [slope], { rtol: 1e-2, atol: 5e-3, label: name });
    }
  });
});

describe('controls', () => {
  it('noise: h + α s σ ε in training, h to the bit when answering; no tensors', async () => {
    for (const make of [settings, pass]) {
      const config = make({ control: 'noise', noise_variance_visual: 0.25 });
      expect([...bottleneckTensors(config, D)]).toEqual([]);
      const { z } = await run({ z: traced(config).state.hidden }, {});
      const deviation = (i: number): number => Math.sqrt(Number(MODALITY.data[Math.floor(i / D)]) === 2 ? 0.25 : 0.1);
      const s = (i: number): number => (make === pass ? scaleAt(i) : 1);
      expectClose(
        z,
        hidden.map((v, i) => v + 0.4 * s(i) * deviation(i) * noise[i]),
        { rtol: 1e-5, atol: 1e-5 },
      );
      const answer = traced(config, true);
      expect(answer.state.hidden).toBe(answer.h);
    }
  });

  it('noise of one modality leaves the other as it is', async () => {
    const { z } = await run({ z: traced(settings({ control: 'noise', modalities: ['text'] })).state.hidden }, {});
    z.forEach((v, i) => {
      expect(v === hidden[i], `element ${i}`).toBe(Number(MODALITY.data[Math.floor(i / D)]) === 2);
    });
  });

  it('deterministic: training is answering, with an encoder', async () => {
    for (const make of [settings, pass]) {
      const config = make({ control: 'deterministic' });
      const weights = weightsOf(config);
      const out = await run({ train: traced(config).state.hidden, answer: traced(make(), true).state.hidden }, weights);
      expect(out.train).toEqual(out.answer);
      expect(out.train.some((v, i) => Math.abs(v - hidden[i]) > 0.1)).toBe(true);
    }
  });

  it('charge nothing and log nothing; the deterministic one asks for no noise', () => {
    for (const control of ['noise', 'deterministic'] as const) {
      const config = settings({ control });
      const made = trainingBottleneck(trainableParameters(), config, 2);
      const [modality, labels] = ['modality', 'labels'].map(name => input(name, ['batch', 'seq'], 'int32'));
      const tokens = { modality, positions: modality, ids: modality, imageRows: modality, attentionMask: modality };
      made.tap(1, input('hidden', ['batch', 'seq', D]), tokens);
      expect(made.states).toHaveLength(1);
      expect(made.terms({ modality }, labels)).toEqual({ loss: [], scalars: {} });
      const feeds = bottleneckNoise(config, { samples: [0], length: T, width: D }, 1, 1);
      expect(Object.keys(feeds)).toEqual(control === 'noise' ? ['bottleneck_noise.1'] : []);
    }
  });
});

describe('what is charged', () => {
  /** KL per token and dimension of the published form with the weights of `weightsOf`. */
  async function elements(): Promise<{ weights: Record<string, FloatTensor>; kl: number[] }> {
    const weights = weightsOf(settings(), 0.3);
    const { m, v } = await run(
      { m: traced(settings()).state.mean, v: traced(settings()).state.logVariance },
      { ...weights, hidden: SMALL },
    );
    return { weights, kl: m.map((mean, i) => 0.5 * (mean * mean + Math.exp(v[i]) - 1 - v[i])) };
  }
  const SMALL = normals('small', [B, T, D]);
  const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const ofToken = (kl: readonly number[], t: number): number[] => kl.slice(t * D, (t + 1) * D);
  const ofDimension = (kl: readonly number[], tokens: readonly number[]): number[] =>
    Array.from({ length: D }, (_, j) => meanOf(tokens.map(t => kl[t * D + j])));

  it('by token is the sum over dimensions, and free nats are taken off each token or each dimension', async () => {
    const { weights, kl } = await elements();
    const sums = (tokens: readonly number[]): number[] => tokens.map(t => ofToken(kl, t).reduce((a, b) => a + b));
    const hinge = (values: readonly number[], free: number): number => meanOf(values.map(v => Math.max(0, v - free)));
    const middle = sums(IMAGE).toSorted((a, b) => a - b)[1] * 1.01;
    const dimension = ofDimension(kl, IMAGE).toSorted((a, b) => a - b)[1] * 1.01;
    const cases: [object, (tokens: readonly number[]) => number][] = [
      [{}, tokens => meanOf(ofDimension(kl, tokens))],
      [{ kl_charge: 'token' }, tokens => meanOf(sums(tokens))],
      [{ kl_charge: 'token', free_nats: middle }, tokens => hinge(sums(tokens), middle)],
      [{ free_nats: dimension }, tokens => hinge(ofDimension(kl, tokens), dimension)],
    ];
    for (const [given, expected] of cases) {
      const { visualCharge, textCharge, visual } = traced(settings(given)).penalty();
      const out = await run({ visualCharge, textCharge, visual }, { ...weights, hidden: SMALL });
      const label = JSON.stringify(given);
      expectClose([...out.visualCharge, ...out.textCharge], [expected(IMAGE), expected(PROMPT)], { rtol: 1e-4, atol: 1e-6, label });
      // What is logged stays nats per dimension.
      expectClose(out.visual, [meanOf(ofDimension(kl, IMAGE))], { rtol: 1e-4, label });
    }
  });

  it('counts the dimensions in use: those whose mean KL over paying tokens is above the bound', async () => {
    const { weights, kl } = await elements();
    const { visualUsed, textUsed } = traced(settings()).penalty();
    const out = await run({ visualUsed, textUsed }, { ...weights, hidden: SMALL });
    const share = (tokens: readonly number[]): number => meanOf(ofDimension(kl, tokens).map(v => (v > IN_USE ? 1 : 0)));
    expect([...out.visualUsed, ...out.textUsed]).toEqual([share(IMAGE), share(PROMPT)]);
    // Two dimensions of the image side are put to the prior.
    const idle = { ...weights };
    const name = 'bottleneck.1.visual.fc2';
    const off = (i: number): boolean => i % D < 2;
    idle[`${name}.weight`] = floats(
      [2 * D, D],
      weights[`${name}.weight`].data.map((v, i) => (off(Math.floor(i / D)) ? 0 : v)),
    );
    idle[`${name}.bias`] = floats(
      [2 * D],
      weights[`${name}.bias`].data.map((v, i) => (off(i) ? 0 : i < D ? 3 : v)),
    );
    expect((await run({ visualUsed, textUsed }, { ...idle, hidden: SMALL })).visualUsed).toEqual([0.5]);
  });

  it('is weighed by the schedule of β, where there is one', async () => {
    const config = settings({ beta_schedule: 'after_alpha', beta_visual: 0.2, beta_text: 0.3 });
    const made = trainingBottleneck(trainableParameters(), config, 2);
    const [modality, labels] = ['modality', 'labels'].map(name => input(name, ['batch', 'seq'], 'int32'));
    const tokens = { modality, positions: modality, ids: modality, imageRows: modality, attentionMask: modality };
    made.tap(1, input('hidden', ['batch', 'seq', D]), tokens);
    const { loss, scalars } = made.terms({ modality }, labels);
    const { weights } = await elements();
    const feeds = { ...weights, 'bottleneck_noise.1': FEEDS.noise, bottleneck_alpha: FEEDS.alpha, [BETA_INPUT]: floats([], [0.5]) };
    const out = await run({ v: loss[0], t: loss[1], kv: scalars.kl_visual, kt: scalars.kl_text }, feeds);
    expectClose([...out.v, ...out.t], [0.1 * out.kv[0], 0.15 * out.kt[0]], { rtol: 1e-6 });
  });
});
