import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { generate } from '../../generation/generate.ts';
import { add, compile, equal, grad, input, mul, unsqueeze, where } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { pixelInput } from '../llava/files.ts';
import { type LlavaTap, nextTokenLoss, towerFeatures } from '../llava/forward.ts';
import { MODALITY } from '../llava/placement.ts';
import { expectNear, goldenIn } from '../llava/testing/goldens.ts';
import { LlavaMiniModel } from '../pretrained.ts';
import { miniFeeds, miniTokenInputs } from './files.ts';
import { embedConversation, llavaMiniForward } from './forward.ts';
import { instructionOf, placeMini } from './placement.ts';

const CASES = ['paper-llama', 'paper-qwen2-one-token', 'checkpoint-llama3'];
const directory = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));
const runtime = nodeRuntime({ threads: 2 });
const models = new Map<string, Promise<LlavaMiniModel>>();
const open = (name: string): Promise<LlavaMiniModel> => {
  const found = models.get(name) ?? LlavaMiniModel.fromPretrained(directory(name), { runtime });
  models.set(name, found);
  return found;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

/** The golden's batch, padded on one side. */
async function batch(name: string, side = 'right') {
  const g = await goldenIn(directory(name));
  return {
    inputIds: await g.raw(`${side}.input_ids`),
    attentionMask: await g.raw(`${side}.attention_mask`),
    labels: await g.raw(`${side}.labels`),
    pixelValues: await g.floats('pixel_values'),
  };
}
const numbers = ({ data }: Tensor): number[] => Array.from(data as Int32Array, Number);
/** Tokens of row `b` that are shown. */
const shown = ({ inputIds, attentionMask }: { inputIds: Tensor; attentionMask: Tensor }, b: number): number[] => {
  const [, length] = inputIds.shape;
  const [ids, mask] = [numbers(inputIds), numbers(attentionMask)].map(a => a.slice(b * length, (b + 1) * length));
  return ids.filter((_, t) => mask[t]);
};
const images = (pixels: FloatTensor, from: number, to: number): FloatTensor => {
  const each = pixels.data.length / pixels.shape[0];
  return floats([to - from, ...pixels.shape.slice(1)], pixels.data.slice(from * each, to * each));
};
/** First image and number of images of each of the golden's conversations. */
const OWN = [
  [0, 2],
  [2, 2],
  [2, 3],
  [3, 4],
] as const;

describe.each(CASES)('%s', name => {
  it.each(['right', 'left'])('equals PyTorch with padding on the %s', async side => {
    const [model, g, inputs] = [await open(name), await goldenIn(directory(name)), await batch(name, side)];
    const out = await model.forward(inputs);
    const mask = numbers(inputs.attentionMask);
    expectNear(out.logits, await g.floats(`${side}.logits`), 2e-5, 'logits', mask);
    expectClose([out.loss!], (await g.floats('loss')).data, { rtol: 1e-5 });
    expectNear(out.compression!, await g.floats('compression'), 1e-5, 'compression');
  });

  it('gives the decoder what PyTorch gives it', async () => {
    const [model, g, inputs] = [await open(name), await goldenIn(directory(name)), await batch(name)];
    const { parameters: p, config } = model.parts;
    const tokens = miniTokenInputs();
    const { embedded } = embedConversation(p, config, tokens, towerFeatures(p, config, pixelInput(config)));
    await using graph = await compile(runtime, { embedded });
    const placement = placeMini(config, inputs.inputIds, 4, { ...inputs, instruction: instructionOf(inputs.labels) });
    const out = await graph.run({ ...miniFeeds(placement), pixel_values: inputs.pixelValues });
    expectNear(out.embedded, await g.floats('right.embedded'), 1e-5, 'embedded', numbers(inputs.attentionMask));
  });

  it('equals PyTorch: every gradient, by three sums', async () => {
    const [model, g, inputs] = [await open(name), await goldenIn(directory(name)), await batch(name, 'left')];
    const { config, checkpoint } = model.parts;
    const p = trainableParameters();
    const run = llavaMiniForward(p, config, miniTokenInputs(), pixelInput(config));
    const loss = nextTokenLoss(run.logits, input('labels', ['batch', 'seq'], 'int32'));
    const names = [...p.all.keys()];
    const values = grad(loss, [...p.all.values()]);
    await using graph = await compile(runtime, Object.fromEntries(values.map((v, i) => [`grad.${names[i]}`, v])));
    const weights: Record<string, FloatTensor> = {};
    for (const n of names) {
      const entry = checkpoint.entries.get(n)!;
      weights[n] = floats(entry.shape, await readFloats(entry));
    }
    const placement = placeMini(config, inputs.inputIds, 4, { ...inputs, instruction: instructionOf(inputs.labels) });
    const out = await graph.run({ ...miniFeeds(placement), pixel_values: inputs.pixelValues, labels: inputs.labels, ...weights });
    expect(names.sort()).toEqual(g.names.flatMap(n => (n.startsWith('grad.') ? [n.slice(5)] : [])).sort());
    for (const n of names) {
      const sums = [0, 0, 0];
      (out[`grad.${n}`] as FloatTensor).data.forEach((v, i) => {
        sums[0] += v;
        sums[1] += Math.abs(v);
        sums[2] += v * Math.cos(i);
      });
      expectNear(floats([3], sums), await g.floats(`grad.${n}`), 2e-4, n);
    }
  });

  it("equals PyTorch's greedy generation without a cache, in one batch of mixed prompts", async () => {
    const [model, g] = [await open(name), await goldenIn(directory(name))];
    const pixels = await g.floats('pixel_values');
    const prompts = [];
    for (const [i, [from, to]] of OWN.entries())
      prompts.push({ ids: numbers(await g.raw(`generate.${i}.prompt`)), ...(to > from ? { pixelValues: images(pixels, from, to) } : {}) });
    const answers = await generate(model, prompts, { maxNewTokens: 6 });
    for (const [i, answer] of answers.entries()) expect(answer.ids).toEqual(numbers(await g.raw(`generate.${i}.answer`)));
  });
});

/** Scales images by 2 and moves words, so that a wrong modality shows. */
const tap: LlavaTap = (layer, hidden, tokens) =>
  layer === 0 ? where(unsqueeze(equal(tokens.modality, MODALITY.image), -1), mul(hidden, 2), add(hidden, 0.5)) : hidden;

describe('LlavaMiniModel', () => {
  it('decodes over the cache what whole passes give, through a tap', async () => {
    const inputs = await batch('paper-llama');
    await using model = await LlavaMiniModel.fromPretrained(directory('paper-llama'), { runtime, tap });
    const prompts = [0, 1, 3].map(b => {
      const [from, to] = OWN[b];
      return { ids: shown(inputs, b), ...(to > from ? { pixelValues: images(inputs.pixelValues, from, to) } : {}) };
    });
    const decoding = await model.start(prompts);
    const more: number[][] = prompts.map(() => []);
    for (let step = 0; step < 3; step++) {
      for (const [b, { ids, pixelValues }] of prompts.entries()) {
        const all = [...ids, ...more[b]];
        const instruction = ints([1, all.length], [...ids.map(() => 1), ...more[b].map(() => 0)]);
        const { logits } = await model.forward({ inputIds: ints([1, all.length], all), pixelValues, instruction });
        const width = logits.shape[2];
        const last = logits.data.subarray((all.length - 1) * width);
        expectClose(decoding.logits.data.subarray(b * width, (b + 1) * width), last, { rtol: 1e-4, atol: 2e-5, label: `${step}, ${b}` });
      }
      const next = prompts.map((_, b) => 3 + 5 * step + b);
      next.forEach((token, b) => {
        more[b].push(token);
      });
      await decoding.step(next);
    }
  });

  it('reads a text without image as LLaVA does: nothing is compressed or fused', async () => {
    const [model, inputs] = [await open('paper-llama'), await batch('paper-llama')];
    const ids = shown(inputs, 1);
    const single = await model.forward({ inputIds: ints([1, ids.length], ids) });
    const whole = await model.forward(inputs);
    const [, length, width] = whole.logits.shape;
    expectClose(single.logits.data, whole.logits.data.subarray(length * width, (length + ids.length) * width), { rtol: 1e-5, atol: 1e-5 });
    expect(single.compression).toBeUndefined();
    expect(numbers(single.placement.fused)).toEqual(ids.map(() => 0));
  });

  it('gives a text without an image in a batch with images no gradient through the two modules', async () => {
    const [model, inputs] = [await open('paper-llama'), await batch('paper-llama')];
    const { config, checkpoint } = model.parts;
    const p = trainableParameters();
    const run = llavaMiniForward(p, config, miniTokenInputs(), pixelInput(config));
    const loss = nextTokenLoss(run.logits, input('labels', ['batch', 'seq'], 'int32'));
    const names = [...p.all.keys()].filter(n => /compressor|prefusion/.test(n));
    const values = grad(
      loss,
      names.map(n => p.all.get(n)!),
    );
    const length = inputs.inputIds.shape[1];
    // Only the text alone is supervised.
    const labels = ints(
      inputs.labels.shape,
      numbers(inputs.labels).map((v, i) => (Math.floor(i / length) === 1 ? v : -100)),
    );
    await using graph = await compile(runtime, Object.fromEntries(values.map((v, i) => [`grad.${names[i]}`, v])));
    const weights: Record<string, FloatTensor> = {};
    for (const n of p.all.keys()) weights[n] = floats(checkpoint.entries.get(n)!.shape, await readFloats(checkpoint.entries.get(n)!));
    const placement = placeMini(config, inputs.inputIds, 4, { ...inputs, instruction: instructionOf(inputs.labels) });
    const out = await graph.run({ ...miniFeeds(placement), pixel_values: inputs.pixelValues, labels, ...weights });
    for (const n of names)
      expect(
        (out[`grad.${n}`] as FloatTensor).data.every(v => v === 0),
        n,
      ).toBe(true);
  });

  it('shows a tap C² image tokens per image', async () => {
    const layers: number[] = [];
    await using model = await LlavaMiniModel.fromPretrained(directory('paper-qwen2-one-token'), {
      runtime,
      tap: (layer, hidden) => {
        layers.push(layer);
        return hidden;
      },
    });
    const { placement } = await model.forward(await batch('paper-qwen2-one-token'));
    expect(layers.filter(layer => layer >= 0)).toEqual([0, 1]);
    expect(numbers(placement.modality).filter(m => m === MODALITY.image)).toHaveLength(4);
  });
});
