import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBottleneckConfig } from '../bottleneck/gaussian/config.ts';
import { bottleneckTensors } from '../bottleneck/gaussian/module.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { ChatModel } from '../generation/pretrained.ts';
import { writeTinyChat } from '../generation/testing/tiny-chat.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { figureSvg, reportHtml } from '../report/attribution/bound.ts';
import { attributionFromJson, attributionToJson } from '../report/attribution/json.ts';
import { terminalSummary } from '../report/attribution/terminal.ts';
import { NarrowsError } from '../system/errors.ts';
import { RandomStream } from '../tensor/random.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { posterior } from './methods/posterior.ts';
import type { Pair } from './pair.ts';
import { explainQuestion } from './question.ts';
import { findMethod } from './registry.ts';
import { explainSubject } from './subject.ts';
import { PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

const QUESTION = 'how many cats are there?';
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-posterior-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A picture that is no square: red on the left, green on the right. */
const image: RgbImage = {
  width: 20,
  height: 12,
  data: new Uint8Array(20 * 12 * 3).map((_, i) => (i % 3 === (i % 60 < 30 ? 0 : 1) ? 220 : 30)),
};
const pair = { image, text: QUESTION };

/** A tiny LLaVA with a bottleneck. @param weight of every tensor by its name */
async function tiny(
  name: string,
  settings: object,
  weight: (tensor: string, data: Float32Array) => void,
  change: object = {},
): Promise<string> {
  const directory = await writeTinyChat(join(root, name), 'qwen2-tied', { bottleneck_config: settings, ...change });
  const { hidden_size: width } = await ChatModel.open(await writeTinyChat(join(root, `plain ${name}`))).then(async chat => {
    await using plain = chat;
    return plain.model.config.text_config;
  });
  const tensors: Record<string, Tensor> = {};
  for (const [tensor, value] of bottleneckTensors(parseBottleneckConfig(settings, 'test'), width)) {
    const shape = value.shape as number[];
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    weight(tensor, data);
    tensors[tensor] = floats(shape, data);
  }
  await writeSafetensors(join(directory, 'bottleneck.safetensors'), tensors);
  return directory;
}

const random = (tensor: string, data: Float32Array): void => {
  new RandomStream(1, tensor).normals(0, 0, data);
  for (let i = 0; i < data.length; i++) data[i] *= 0.2;
};

describe('posterior', () => {
  it('is the KL that the encoders say: known posteriors give known nats', async () => {
    // No weights: the posterior is the bias of the second layer, the same for every token of a modality.
    const directory = await tiny('known', { bottleneck_layers: [1] }, (tensor, data) => {
      if (tensor.endsWith('fc2.bias')) data.fill(tensor.includes('visual') ? 0.5 : 0.25, 0, data.length / 2);
      if (tensor.endsWith('fc2.bias')) data.fill(tensor.includes('visual') ? 1 : -9, data.length / 2);
    });
    await using chat = await ChatModel.open(directory);
    const result = await explainQuestion(posterior, { model: chat, pair: pair }, { layer: 'auto' });
    const width = chat.model.config.text_config.hidden_size;
    const nats = (mean: number, logVariance: number): number => 0.5 * (mean ** 2 + Math.exp(logVariance) - 1 - logVariance) * width;
    expectClose(result.image!.patches, Array(result.image!.patches.length).fill(nats(0.5, 1)), { rtol: 1e-5 });
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: the released code's number
    const word = nats(0.25, -2.3025);
    expect(result.text!.words.map(w => w.text)).toEqual(['how', 'many', 'cats', 'are', 'there', '?']);
    expectClose(
      result.text!.words.map(w => w.value),
      Array(6).fill(word),
      { rtol: 1e-5 },
    );
    // The template's own tokens (<s>, USER, :, ASSISTANT, :) are there without being shown.
    expect(result.text!.tokens.map(t => t.special).filter(Boolean).length).toBe(5);
    expect(result.text!.totalBits).toBeCloseTo((6 * word) / Math.LN2, 2);
    expect(result.image!.totalBits).toBeCloseTo((result.image!.patches.length * nats(0.5, 1)) / Math.LN2, 2);
  });

  it('gives a result that the pictures, the report and JSON know, over the widened picture', async () => {
    const directory = await tiny('pictures', { bottleneck_layers: [0, 1], prior: 'learnable' }, random, { image_aspect_ratio: 'pad' });
    await using chat = await ChatModel.open(directory);
    const picture = chat.picture(image);
    expect([picture.width, picture.height]).toEqual([20, 20]);
    const result = await explainQuestion(posterior, { model: chat, pair: { ...pair, imageName: 'p.png' } }, { layer: 'auto' });
    expect([result.method, result.unit, result.cosine, result.parameters.layer]).toEqual(['posterior', 'nats', undefined, 1]);
    expect(result.image!.view).toEqual({ left: 0, top: 0, width: 20, height: 20 });
    expect(Math.min(...result.image!.patches)).toBeGreaterThan(0);
    expect(new Set(result.image!.patches).size).toBeGreaterThan(2);
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
    const svg = await figureSvg(result, picture);
    expect(svg).toContain('Kept of the image');
    expect(svg).toContain('Kept of the question');
    expect(svg).not.toContain('cosine');
    expect(await reportHtml([{ result, image: picture, command: 'narrows' }])).toContain('keeps');
    const [figures, explained] = terminalSummary(result).split('\n');
    expect(figures).toMatch(/^Posterior on .* · image .* bits · question .* bits/);
    expect(explained).toContain(`what the bottleneck after block 1 keeps of each token`);
    const lower = await explainQuestion(posterior, { model: chat, pair: pair }, { layer: 0 });
    expect(lower.image!.patches).not.toEqual(result.image!.patches);
    expect((await explainQuestion(posterior, { model: chat, pair: pair }, { layer: 'auto' })).image!.patches).toEqual(
      result.image!.patches,
    );
    await expect(explainQuestion(posterior, { model: chat, pair: pair }, { layer: 5 })).rejects.toThrow(
      'has no bottleneck at block 5; it has one at 0, 1.',
    );
  });

  it('has only a map of the image after the projector', async () => {
    const directory = await tiny('projector', { bottleneck_layers: [-1] }, random);
    await using chat = await ChatModel.open(directory);
    const result = await explainQuestion(posterior, { model: chat, pair: pair }, { layer: 'auto' });
    expect([result.text, result.target]).toEqual([undefined, 'what the bottleneck after the projector keeps of each token']);
    await expect(explainQuestion(posterior, { model: chat, pair: pair }, { layer: 'auto' }, { modality: 'text' })).rejects.toThrow(
      'passes no text tokens',
    );
  });

  it('reads the pixel values that a pair carries', async () => {
    const directory = await tiny('pixels', { bottleneck_layers: [1] }, random);
    await using chat = await ChatModel.open(directory);
    const { model } = chat;
    const other = { ...image, data: image.data.map(v => 250 - v) };
    const pixelValues = model.parts.processor.process(chat.picture(other)).pixelValues;
    const read = async (of: Pair): Promise<Float32Array> =>
      (await explainQuestion(posterior, { model: chat, pair: of }, { layer: 1 })).image!.patches;
    expect(await read({ ...pair, pixelValues })).toEqual(await read({ ...pair, image: other }));
    expect(await read({ ...pair, pixelValues })).not.toEqual(await read(pair));
  });

  it('says in one sentence that a LLaVA has no bottleneck', async () => {
    await using chat = await ChatModel.open(await writeTinyChat(join(root, 'none')));
    const error = await explainQuestion(posterior, { model: chat, pair: pair }, { layer: 'auto' }).catch(e => e);
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toMatch(/is a LLaVA without a bottleneck .*--method vittle makes one\.$/);
  });
});

describe('a subject', () => {
  it('is explained by the methods that serve its kind, and by no other', async () => {
    await using chat = await ChatModel.open(await tiny('subject', { bottleneck_layers: [1] }, random));
    const clip = await tinyPairModel();
    const question = { kind: 'question', model: chat, pair } as const;
    const couple = { kind: 'pair', model: clip, pair: PAIRS[0] } as const;
    const read = await explainSubject(findMethod('posterior')!, question, { layer: 1 }, { modality: 'image' });
    expect(read.image!.patches).toEqual((await explainQuestion(posterior, question, { layer: 1 })).image!.patches);
    expect(read.text).toBeUndefined();
    expect((await explainSubject(findMethod('grad-cam')!, couple)).cosine).toBeTypeOf('number');
    await expect(explainSubject(findMethod('posterior')!, couple)).rejects.toThrow('posterior is for a LLaVA with a bottleneck');
    await expect(explainSubject(findMethod('clip-surgery')!, question)).rejects.toThrow('clip-surgery explains image–caption pairs');
    await expect(explainSubject(findMethod('posterior')!, question, {}, { target: { against: 'a dog' } })).rejects.toThrow(
      'Another target is for models that compare images with texts',
    );
    await expect(explainSubject(findMethod('posterior')!, question, { beta: 1 })).rejects.toThrow(NarrowsError);
    await clip.release();
    await clip.remove();
  });
});
