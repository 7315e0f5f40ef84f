import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readConfig } from '../../checkpoints/disk.ts';
import { readFloats, type SafetensorsFile } from '../../checkpoints/safetensors.ts';
import { add, compile, grad, input, type Value } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import { pixelInput, tokenInputs } from '../../models/llava/files.ts';
import { llavaForward, nextTokenLoss } from '../../models/llava/forward.ts';
import { nameInMemory } from '../../models/llava/layout.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import { placeImages } from '../../models/llava/placement.ts';
import { directoryOf, expectNear, type Golden, golden } from '../../models/llava/testing/goldens.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { AdamW } from '../../optim/adamw.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { type BottleneckConfig, parseBottleneckConfig } from './config.ts';
import { bottleneckPenalty } from './penalty.ts';
import { ALPHA_INPUT, noiseInput, trainingBottleneck } from './train.ts';

const LAYER = 2;
const runtime = nodeRuntime({ threads: 1 });
let vittle: SafetensorsFile;
let outputs: Golden;
let config: LlavaConfig;
let feeds: Record<string, Tensor>;

/** `bottleneck_v.prior_logvar` of the golden -> our name. */
function ourName(name: string): string {
  const found = /^bottleneck_([vt])\.(.*)$/.exec(name);
  if (!found) return name;
  const tensor = found[2].replace('prior_mean', 'prior.mean').replace('prior_logvar', 'prior.log_variance');
  return `bottleneck.${LAYER}.${found[1] === 'v' ? 'visual' : 'text'}.${tensor}`;
}

async function read(name: string): Promise<FloatTensor> {
  const entry = vittle.tensors.get(name) ?? expect.fail(`no ${name}`);
  return floats(entry.shape, await readFloats(entry));
}

/** Weights of the model and of the bottleneck as the golden run began with them. */
async function startingWeights(): Promise<Map<string, FloatTensor>> {
  const files = await Promise.all(['model', 'vittle-start'].map(f => openSafetensors(`${directoryOf('llava-tiny')}/${f}.safetensors`)));
  const weights = new Map<string, FloatTensor>();
  for (const { tensors } of files)
    for (const [name, entry] of tensors) weights.set(ourName(nameInMemory(name)), floats(entry.shape, await readFloats(entry)));
  return weights;
}

/** The training graph of the golden run. */
function trace(settings: BottleneckConfig, wanted: (name: string) => boolean) {
  const p = trainableParameters();
  const tokens = tokenInputs();
  const labels = input('labels', ['batch', 'seq'], 'int32');
  const bottleneck = trainingBottleneck(p, settings, imageTokens(config));
  const before: Value[] = [];
  const run = llavaForward(p, config, tokens, pixelInput(config), (layer, hidden, t) => {
    if (layer === LAYER) before.push(hidden);
    return bottleneck.tap(layer, hidden, t);
  });
  const ce = nextTokenLoss(run.logits, labels);
  const { loss, scalars } = bottleneck.terms(tokens, labels);
  const total = loss.reduce((a, b) => add(a, b), ce);
  const names = [...p.all.keys()].filter(wanted);
  const gradients = grad(
    total,
    names.map(name => p.all.get(name)!),
  );
  const [state] = bottleneck.states;
  const inside = { h_in: before[0], h_out: state.hidden, mu: state.mean, logvar: state.logVariance, 'logits.train': run.logits };
  const penalty = bottleneckPenalty(settings, state, { modality: tokens.modality, labels });
  return {
    names,
    step: { ce, total, ...scalars, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i]])) },
    inside: { ...inside, perToken: penalty.perToken },
  };
}

const settings = (given: object): BottleneckConfig => parseBottleneckConfig({ bottleneck_layers: [LAYER], ...given }, 'test');

beforeAll(async () => {
  vittle = await openSafetensors(fileURLToPath(new URL('testdata/vittle.safetensors', import.meta.url)));
  outputs = await golden('llava-tiny');
  config = parseLlavaConfig(await readConfig(directoryOf('llava-tiny')));
  const pixels = await outputs.floats('pixel_values');
  const placement = placeImages(config, await outputs.raw('input_ids'), pixels.shape[0], await outputs.raw('attention_mask'));
  feeds = {
    ...placementFeeds(placement),
    pixel_values: pixels,
    labels: await outputs.raw('labels'),
    [ALPHA_INPUT]: floats([], [0.3]),
    [noiseInput(LAYER)]: await read('noise'),
  };
});

describe('Vittle on llava-tiny equals PyTorch', () => {
  it('posterior, what goes on, logits, losses and every gradient', async () => {
    // The golden run takes gradients of the priors too, which are N(0, I); see the last test for what it tells of them.
    const { names, step, inside } = trace(settings({ prior: 'learnable' }), name => !name.includes('vision_tower'));
    await using graph = await compile(runtime, { ...step, ...inside });
    const out = await graph.run({ ...feeds, ...Object.fromEntries(await startingWeights()) });
    for (const name of ['h_in', 'mu', 'logvar', 'h_out', 'logits.train'])
      expectNear(out[name], await read(name), name === 'logvar' ? 5e-5 : 1e-5, name);
    for (const [ours, theirs] of Object.entries({ ce: 'ce', kl_visual: 'kl_v', kl_text: 'kl_t', total: 'total' }))
      expectClose(out[ours].data, (await read(theirs)).data, { rtol: 1e-5, label: ours });
    const expected = [...vittle.tensors.keys()].filter(name => name.startsWith('grad.'));
    expect(expected.map(name => ourName(name.slice(5))).sort()).toEqual([...names].sort());
    for (const name of expected)
      if (!name.includes('prior')) expectNear(out[`grad.${ourName(name.slice(5))}`], await read(name), 1e-4, name);
    // Image tokens' nats, averaged over dimensions, are the visual KL.
    const image = Array.from(feeds.modality.data as Int32Array, m => m === 2);
    const nats = Array.from(out.perToken.data, Number).filter((_, i) => image[i]);
    expectClose([nats.reduce((a, b) => a + b, 0) / nats.length / 48], (await read('kl_v')).data, { rtol: 1e-5 });
  });

  it('is plain LLaVA to the bit at α = 0', async () => {
    const { inside } = trace(settings({}), () => false);
    await using graph = await compile(runtime, { logits: inside['logits.train'] });
    await using plain = await LlavaModel.fromPretrained(directoryOf('llava-tiny'), { runtime });
    const weights = Object.fromEntries(await startingWeights());
    const out = await graph.run({ ...feeds, ...weights, [ALPHA_INPUT]: floats([], [0]) });
    const [inputIds, attentionMask] = [await outputs.raw('input_ids'), await outputs.raw('attention_mask')];
    const expected = await plain.forward({ inputIds, attentionMask, pixelValues: await outputs.floats('pixel_values') });
    expect(out.logits.data).toEqual(expected.logits.data);
  });

  it.each(['fixed', 'learnable'] as const)('the half-log KL of the released code, prior %s', async prior => {
    const { step } = trace(settings({ prior, half_log_kl: true }), () => false);
    await using graph = await compile(runtime, step);
    const out = await graph.run({ ...feeds, ...Object.fromEntries(await startingWeights()) });
    expectClose(out.ce.data, (await read('ce')).data, { rtol: 1e-5 });
    expectClose(out.kl_visual.data, (await read('kl_v_half')).data, { rtol: 1e-5, label: 'visual' });
    expectClose(out.kl_text.data, (await read('kl_t_half')).data, { rtol: 1e-5, label: 'text' });
  });

  // The golden run left its priors alone, and never emptied their gradients: they are the sum over the first pass and the three steps.
  it.each(['fixed', 'learnable'] as const)('losses, gradient norms and parameters over three AdamW steps, prior %s', async prior => {
    const { names, step } = trace(settings({ prior }), name => !name.includes('vision_tower'));
    const priors = names.filter(name => name.includes('.prior.'));
    expect(priors.length).toBe(prior === 'fixed' ? 0 : 4);
    const trained = names.filter(name => !priors.includes(name));
    await using graph = await compile(runtime, step);
    const weights = await startingWeights();
    const optimizer = new AdamW(
      trained.map(name => ({ name, ...weights.get(name)! })),
      { weightDecay: 0.01, maxGradNorm: 1, decays: () => true },
    );
    const losses: number[] = [];
    const sums = new Map(priors.map(name => [name, new Float32Array(48)]));
    for (let i = 0; i < 3; i++) {
      const out = await graph.run({ ...feeds, ...Object.fromEntries(weights) });
      const gradient = (name: string): Float32Array => out[`grad.${name}`].data as Float32Array;
      for (const [name, sum] of sums)
        gradient(name).forEach((g, d) => {
          sum[d] += i === 0 ? 2 * g : g;
        });
      const norm = optimizer.step(new Map(trained.map(name => [name, gradient(name)])), 1e-3);
      losses.push(out.total.data[0] as number, norm);
    }
    expectClose(losses, (await read('adamw.loss_and_gradnorm')).data, { rtol: 1e-4, label: 'loss and norm' });
    for (const name of vittle.tensors.keys())
      if (/^bottleneck_[vt]\.fc/.test(name)) expectNear(weights.get(ourName(name))!, await read(name), 1e-4, name);
      else if (/^grad\.bottleneck_[vt]\.prior/.test(name) && prior === 'learnable')
        expectNear(floats([48], sums.get(ourName(name.slice(5)))!), await read(name), 1e-4, name);
    const q = weights.get(`model.language_model.layers.${LAYER}.self_attn.q_proj.weight`)!;
    expectNear(q, await read('adamw.after.q_proj'), 1e-4, 'q_proj');
  });
});
