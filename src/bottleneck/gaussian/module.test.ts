import { describe, expect, it } from 'vitest';
import { add, compile, grad, input, mul, sum, type Value } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { type BottleneckConfig, parseBottleneckConfig } from './config.ts';
import { gaussianKl } from './kl.ts';
import { type BottleneckInputs, bottleneckTensors, gaussianBottleneck, initialBottleneck } from './module.ts';
import { bottleneckPenalty } from './penalty.ts';
import { bottleneckNoise } from './train.ts';

const runtime = nodeRuntime({ threads: 1 });
const [B, T, D, N] = [3, 6, 4, 4];
const settings = (given: object = {}): BottleneckConfig => parseBottleneckConfig({ bottleneck_layers: [1], ...given }, 'test');
const normals = (name: string, shape: number[], spread = 1): FloatTensor => {
  const data = new RandomStream(5, name).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b)));
  return floats(
    shape,
    data.map(v => v * spread),
  );
};
/** 1 = text, 2 = image, 0 = padding: an image behind a word, an image in front with padding, text alone. */
const MODALITY = ints([B, T], [1, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1, 0, 1, 1, 1, 0, 0, 0]);
const LABELS = ints([B, T], [-100, -100, -100, -100, -100, 7, -100, -100, -100, -100, 5, -100, -100, -100, 9, -100, -100, -100]);
const POSITIONS = ints(
  [B, T],
  Array.from({ length: B * T }, (_, i) => i % T),
);
const FEEDS = { hidden: normals('hidden', [B, T, D]), noise: normals('noise', [B, T, D]), alpha: floats([], [0.4]) };

/** Weights large enough that some log-variances leave the limits. */
const weightsOf = (config: BottleneckConfig, layer = 1): Record<string, FloatTensor> =>
  Object.fromEntries(
    [...bottleneckTensors({ ...config, bottleneck_layers: [layer] }, D)].map(([name, v]) => [name, normals(name, v.shape as number[])]),
  );

function traced(config: BottleneckConfig, given: Partial<BottleneckInputs> = {}, layer = 1) {
  const p = trainableParameters();
  const [hidden, noise, alpha] = [input('hidden', ['batch', 'seq', D]), input('noise', ['batch', 'seq', D]), input('alpha', [])];
  const [modality, positions, labels] = ['modality', 'positions', 'labels'].map(name => input(name, ['batch', 'seq'], 'int32'));
  const state = gaussianBottleneck(p, config, layer, hidden, { modality, positions, tokensPerImage: N, noise, alpha, ...given });
  const penalty = bottleneckPenalty(config, state, { modality, labels });
  return { p, hidden, state, penalty };
}

async function run(outputs: Record<string, Value>, feeds: Record<string, Tensor> = {}): Promise<Record<string, number[]>> {
  await using graph = await compile(runtime, outputs);
  const out = await graph.run({ ...FEEDS, modality: MODALITY, positions: POSITIONS, labels: LABELS, ...feeds });
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

describe('gaussianBottleneck', () => {
  it('has the tensors that the checkpoint format names, and fresh ones begin near N(0, I) with priors at it', () => {
    const names = (config: BottleneckConfig): string[] => [...bottleneckTensors(config, D).keys()];
    expect(names(settings({ modalities: ['text'] }))).toEqual([
      'bottleneck.1.text.fc1.weight',
      'bottleneck.1.text.fc1.bias',
      'bottleneck.1.text.fc2.weight',
      'bottleneck.1.text.fc2.bias',
    ]);
    const learnable = settings({ prior: 'learnable', bottleneck_layers: [0, 3] });
    expect(names(learnable).length).toBe(2 * 2 * 6);
    expect(names(settings({ bottleneck_layers: [-1] })).every(name => name.startsWith('bottleneck.-1.visual.'))).toBe(true);
    const fresh = new Map(initialBottleneck(learnable, 64, 3).map(({ name, data }) => [name, data]));
    const weights = fresh.get('bottleneck.3.visual.fc2.weight')!;
    expect(weights.length).toBe(128 * 64);
    expect(Math.sqrt(weights.reduce((a, w) => a + w * w, 0) / weights.length)).toBeCloseTo(0.02, 3);
    expect(weights).not.toEqual(fresh.get('bottleneck.0.visual.fc2.weight'));
    for (const [name, data] of fresh) if (!name.endsWith('weight')) expect(data.every(v => v === 0)).toBe(true);
    expect(initialBottleneck(learnable, 64, 3)[4].data).toEqual(initialBottleneck(learnable, 64, 3)[4].data);
  });

  it('mixes a sample, or the mean without noise, into the hidden state', async () => {
    const config = settings();
    const sampled = traced(config);
    const mean = traced(config, { noise: undefined });
    const weights = weightsOf(config);
    const { z, h, mu, lv } = await run(
      { z: sampled.state.hidden, h: mean.state.hidden, mu: mean.state.mean, lv: sampled.state.logVariance },
      weights,
    );
    const hidden = Array.from(FEEDS.hidden.data);
    expectClose(
      h,
      hidden.map((v, i) => 0.6 * v + 0.4 * mu[i]),
      { rtol: 1e-5, atol: 1e-6 },
    );
    expectClose(
      z,
      hidden.map((v, i) => 0.6 * v + 0.4 * (mu[i] + Math.exp(lv[i] / 2) * FEEDS.noise.data[i])),
      { rtol: 1e-5, atol: 1e-6 },
    );
    // biome-ignore-start lint/suspicious/noApproximativeNumericConstant: the released code's number
    expect(Math.max(...lv)).toBeCloseTo(2.3025, 6);
    expect(Math.min(...lv)).toBeCloseTo(-2.3025, 6);
    // biome-ignore-end lint/suspicious/noApproximativeNumericConstant: the released code's number
  });

  it('changes nothing at α = 0', async () => {
    const { hidden, state } = traced(settings(), { alpha: 0 });
    expect(state.hidden).toBe(hidden);
    const { z } = await run({ z: traced(settings()).state.hidden }, { ...weightsOf(settings()), alpha: floats([], [0]) });
    expect(z).toEqual(Array.from(FEEDS.hidden.data));
  });

  it('treats each token by itself: permuted tokens give permuted results', async () => {
    const config = settings({ prior: 'learnable' });
    const { state, penalty } = traced(config);
    const weights = weightsOf(config);
    const outputs = { z: state.hidden, nats: penalty.perToken, visual: penalty.visual, text: penalty.text };
    const order = [11, 3, 0, 17, 5, 8, 1, 2, 16, 4, 6, 15, 7, 9, 14, 10, 12, 13];
    const move = (t: Tensor, width = 1): Tensor => ({
      ...t,
      data: (t.data as Float32Array).map((_, i) => Number(t.data[order[Math.floor(i / width)] * width + (i % width)])),
    });
    const moved = { hidden: move(FEEDS.hidden, D), noise: move(FEEDS.noise, D), modality: move(MODALITY), labels: move(LABELS) };
    const [a, b] = [await run(outputs, weights), await run(outputs, { ...weights, ...moved })];
    expectClose(
      b.z,
      order.flatMap(i => a.z.slice(i * D, (i + 1) * D)),
      { rtol: 1e-5, atol: 1e-6 },
    );
    expectClose(
      b.nats,
      order.map(i => a.nats[i]),
      { rtol: 1e-5, atol: 1e-6 },
    );
    expectClose([...b.visual, ...b.text], [...a.visual, ...a.text], { rtol: 1e-5 });
  });

  it('charges image tokens, and prompt tokens of text that are no padding', async () => {
    const config = settings({ prior: 'learnable' });
    const { state, penalty } = traced(config);
    const kl = gaussianKl(state, state.prior);
    const out = await run({ kl, nats: penalty.perToken, visual: penalty.visual, text: penalty.text }, weightsOf(config));
    const perToken = Array.from({ length: B * T }, (_, i) => out.kl.slice(i * D, (i + 1) * D).reduce((a, b) => a + b));
    expectClose(out.nats, perToken, { rtol: 1e-5 });
    const over = (tokens: number[]): number => tokens.reduce((a, i) => a + perToken[i], 0) / tokens.length / D;
    expectClose(out.visual, [over([1, 2, 3, 4, 6, 7, 8, 9])], { rtol: 1e-5 });
    expectClose(out.text, [over([0, 12, 13])], { rtol: 1e-5 });
    expect(Math.min(...out.nats)).toBeGreaterThanOrEqual(0);
  });

  it('splits by position as the released code does, when asked: the first N − 1 places, in training even of text', async () => {
    const config = settings({ index_split: true });
    const { state, penalty } = traced(config);
    const deterministic = traced(config, { noise: undefined });
    const weights = weightsOf(config);
    const kl = gaussianKl(state);
    const out = await run(
      {
        kl,
        visual: penalty.visual,
        text: penalty.text,
        trained: state.visual,
        answered: deterministic.state.visual,
      },
      weights,
    );
    const first = [1, 1, 1, 0, 0, 0];
    expect(out.trained).toEqual([...first, ...first, ...first]);
    expect(out.answered).toEqual([...first, ...first, 0, 0, 0, 0, 0, 0]);
    const perToken = Array.from({ length: B * T }, (_, i) => out.kl.slice(i * D, (i + 1) * D).reduce((a, b) => a + b));
    const over = (tokens: number[]): number => tokens.reduce((a, i) => a + perToken[i], 0) / tokens.length / D;
    expectClose(out.visual, [over([0, 1, 2, 6, 7, 8, 12, 13, 14])], { rtol: 1e-5 });
    // The last image tokens pay as text; answers and padding do not.
    expectClose(out.text, [over([3, 4, 9])], { rtol: 1e-5 });
  });

  it('costs nothing, and has finite gradients, where nobody pays: only text', async () => {
    const { p, hidden, state, penalty } = traced(settings({ prior: 'learnable' }));
    const names = [...p.all.keys()];
    const loss = add(add(penalty.visual, penalty.text), sum(state.hidden));
    const slopes = Object.fromEntries(grad(loss, [hidden, ...p.all.values()]).map((g, i) => [`g.${names[i - 1] ?? 'hidden'}`, g]));
    const text = ints([B, T], Array(B * T).fill(1));
    const out = await run(
      { visual: penalty.visual, text: penalty.text, ...slopes },
      { ...weightsOf(settings({ prior: 'learnable' })), modality: text },
    );
    expect(out.visual).toEqual([0]);
    expect(out.text[0]).toBeGreaterThan(0);
    for (const [name, values] of Object.entries(out)) {
      expect(values.every(Number.isFinite), name).toBe(true);
      if (name.includes('visual.'))
        expect(
          values.every(v => v === 0),
          name,
        ).toBe(true);
    }
  });

  it('leaves words unchanged after the projector, and the other modality where one is chosen', async () => {
    const cases: [config: BottleneckConfig, layer: number, passes: number][] = [
      [settings({ bottleneck_layers: [-1] }), -1, 2],
      [settings({ modalities: ['visual'] }), 1, 2],
      [settings({ modalities: ['text'] }), 1, 1],
    ];
    for (const [config, layer, passes] of cases) {
      const { state, penalty } = traced(config, {}, layer);
      const out = await run({ z: state.hidden, visual: penalty.visual, text: penalty.text }, weightsOf(config, layer));
      out.z.forEach((v, i) => {
        const token = Number(MODALITY.data[Math.floor(i / D)]);
        const goes = passes === 2 ? token === 2 : token !== 2;
        expect(v === FEEDS.hidden.data[i], `element ${i}`).toBe(!goes);
      });
      expect([out.visual[0] > 0, out.text[0] > 0]).toEqual([passes === 2, passes === 1]);
    }
  });

  it('has the gradients that differences show; the limit lets them pass', async () => {
    const config = settings({ prior: 'learnable', log_variance_limit: 50 });
    const { p, state, penalty } = traced(config);
    const loss = add(sum(mul(state.hidden, normalsValue())), add(penalty.visual, penalty.text));
    const names = [...p.all.keys()];
    const slopes = grad(loss, [...p.all.values()]);
    await using graph = await compile(runtime, { loss, ...Object.fromEntries(slopes.map((g, i) => [`g.${names[i]}`, g])) });
    const feeds = { ...FEEDS, modality: MODALITY, positions: POSITIONS, labels: LABELS };
    const weights = Object.fromEntries(
      Object.entries(weightsOf(config)).map(([n, w]) => [
        n,
        floats(
          w.shape,
          w.data.map(v => v * 0.4),
        ),
      ]),
    );
    const at = await graph.run({ ...feeds, ...weights });
    for (const name of names) {
      const direction = normals(`direction ${name}`, [...weights[name].shape]);
      const moved = async (by: number): Promise<number> => {
        const w = floats(
          direction.shape,
          weights[name].data.map((v, i) => v + by * direction.data[i]),
        );
        return Number((await graph.run({ ...feeds, ...weights, [name]: w }, { outputs: ['loss'] })).loss.data[0]);
      };
      const slope = Array.from(at[`g.${name}`].data, Number).reduce((a, g, i) => a + g * direction.data[i], 0);
      expectClose([((await moved(0.01)) - (await moved(-0.01))) / 0.02], [slope], { rtol: 5e-3, atol: 2e-3, label: name });
    }
    // Beyond the limit the value is cut and the gradient is not: it equals that of the limit's own value.
    const cut = traced(settings());
    const [g] = grad(sum(cut.state.logVariance), [cut.p.get('bottleneck.1.text.fc2.bias', [2 * D])]);
    const { bias } = await run({ bias: g }, weightsOf(settings()));
    expect(bias).toEqual([0, 0, 0, 0, 10, 10, 10, 10]);
  });
});

/** Fixed weights of a sum over hidden states. */
const normalsValue = (): Value => input('noise', ['batch', 'seq', D]);

describe('bottleneckNoise', () => {
  it("depends on a sample's number, not on its place or the padding behind it", () => {
    const config = settings({ bottleneck_layers: [1, 2] });
    const make = (samples: number[], length: number, step = 4) => bottleneckNoise(config, { samples, length, width: D }, 9, step);
    const [a, b] = [make([7, 3], 5)['bottleneck_noise.1'], make([3], 8)['bottleneck_noise.1']];
    expect(a.shape).toEqual([2, 5, D]);
    expect(b.data.subarray(0, 5 * D)).toEqual(a.data.subarray(5 * D));
    expect(make([3], 8)['bottleneck_noise.2'].data).not.toEqual(b.data);
    expect(make([3], 8, 5)['bottleneck_noise.1'].data).not.toEqual(b.data);
  });
});
