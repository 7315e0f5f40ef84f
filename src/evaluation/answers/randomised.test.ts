import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerAttributor } from '../../attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import { findMethod } from '../../attribution/registry.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import { GraphCache } from '../../graph/index.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { findMetric } from '../metrics/registry.ts';
import { inTopDecoderBlocks, RandomisedAnswers } from './randomised.ts';
import { answerSample, gamesOfQuestion } from './sample.ts';

const image: RgbImage = { width: 12, height: 12, data: Uint8Array.from({ length: 432 }, (_, i) => (i * 37 + (i % 7) * 11) % 256) };
const asked = { pair: { image, text: 'is it red ?' }, answer: 'yes', against: 'no', size: [12, 12] as const, key: 0 };
let root: string;
let chat: ChatModel;
let randomised: RandomisedAnswers;
const graphs = new GraphCache();
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-randomised-'));
  chat = await ChatModel.open(await writeTinyChat(join(root, 'tiny')));
  randomised = new RandomisedAnswers(chat, directory => ChatModel.open(directory), root, 3);
});
afterAll(async () => {
  await randomised.release();
  await graphs.release();
  await chat.release();
  await rm(root, { recursive: true });
});

describe('a model that answers', () => {
  it('is drawn again from the last block down, then whole', async () => {
    const { checkpoint, config } = chat.model.parts;
    const layers = config.text_config.num_hidden_layers;
    const top = await randomised.model(1);
    let drawn = 0;
    for (const [name, entry] of checkpoint.entries) {
      const [before, after] = [await readFloats(entry), await readFloats(top.model.parts.checkpoint.entries.get(name)!)];
      const inTop = name.startsWith(`model.language_model.layers.${layers - 1}.`);
      expect(inTopDecoderBlocks(name, layers, 1), name).toBe(inTop);
      // Equal values (gains of one) are drawn as they are.
      if (inTop && new Set(before).size > 1) {
        drawn++;
        expect(after, name).not.toEqual(before);
      } else expect(after, name).toEqual(before);
    }
    expect(drawn).toBeGreaterThan(3);
    expect([...checkpoint.entries.keys()].every(name => inTopDecoderBlocks(name, layers, layers + 1))).toBe(true);
  });

  it('changes the maps that come from it and not those that do not', async () => {
    const games = gamesOfQuestion(chat, asked, graphs.keep);
    const metric = findMetric('parameter-randomisation')!;
    const values: Record<string, number> = {};
    for (const name of ['saliency', 'centre-prior', 'random']) {
      await using attributor = new AnswerAttributor(findMethod(name) as MethodEntry, chat);
      const result = await attributor.attribute(asked.pair, { answer: 'yes', against: 'no', modality: 'image', parts: 'none' });
      const sample = answerSample(attributor, asked, result, games, { randomised });
      values[name] = await metric.evaluate(sample, metric.schema.parse({ depth: 3, similarity: 'pearson' }) as never);
      await expect(async () => answerSample(attributor, asked, result, games).explain!({ randomisedBlocks: 1 })).rejects.toThrow(
        'needs models that were drawn again',
      );
    }
    expect(values.random).toBeCloseTo(1, 5);
    expect(values.saliency).toBeLessThan(0.99);
  });
});
