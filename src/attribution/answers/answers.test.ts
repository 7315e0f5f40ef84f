import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { LlavaModel } from '../../models/llava/model.ts';
import { attributionFromJson, attributionTensors, attributionToJson } from '../../report/attribution/json.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { MethodEntry } from '../method.ts';
import { answerMethods, findMethod } from '../registry.ts';
import { explainSubject } from '../subject.ts';
import { AnswerAttributor, answerModelOf } from './answer-attributor.ts';
import { answeredRow } from './answer-row.ts';

const QUESTION = 'what color is the cat ?';
/** Every pixel differs, so that no two places can be mixed up unseen. */
const image: RgbImage = { width: 12, height: 12, data: Uint8Array.from({ length: 432 }, (_, i) => (i * 37 + (i % 7) * 11) % 256) };
const pair = { image, text: QUESTION };

let root: string;
let chat: ChatModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-answers-'));
  chat = await ChatModel.open(await writeTinyChat(join(root, 'tiny')));
});
afterAll(async () => {
  await chat.release();
  await rm(root, { recursive: true });
});

const entry = (name: string): MethodEntry => findMethod(name) as MethodEntry;
const explain = (name: string, options: object = {}, run: object = {}) =>
  explainSubject(findMethod(name)!, { kind: 'question', model: chat, pair }, { ...options }, { answer: 'red cat', ...run });

/** Log-probability of each token of an answer by a plain forward pass of the model. @param change of the pixels */
async function plain(answer: string, change: (pixels: Float32Array) => void = () => {}): Promise<number[]> {
  const model = answerModelOf(chat);
  const picture = model.readPicture(chat.picture(image));
  const row = answeredRow(chat, model, picture, QUESTION, [answer]);
  const pixels = picture.pixels.data.slice();
  change(pixels);
  const llava = chat.model as LlavaModel;
  const inputIds = ints([1, row.ids.length], [...row.ids]);
  const { logits } = await llava.forward({ inputIds, pixelValues: floats(picture.pixels.shape, pixels) });
  const vocabulary = logits.shape[2];
  return row.answers[0].tokens.map(({ id, at }) => {
    const scores = Array.from(logits.data.subarray((at - 1) * vocabulary, at * vocabulary));
    return scores[id] - Math.log(scores.reduce((sum, v) => sum + Math.exp(v), 0));
  });
}

describe('an answer', () => {
  it('has the log-probabilities of a plain forward pass, by itself and beside another', async () => {
    const [red, blue] = [await plain('red cat'), await plain('blue')];
    const alone = await explain('uniform');
    expectClose(
      alone.answer!.tokens.map(t => t.logProbability),
      red,
      { rtol: 1e-5 },
    );
    const both = await explain('uniform', {}, { against: 'blue' });
    expectClose(
      both.answer!.tokens.map(t => t.logProbability),
      red,
      { rtol: 1e-5 },
    );
    expect(both.answer!.against).toEqual({ text: 'blue', logProbability: expect.closeTo(blue[0], 4) });
    expect(both.image!.score).toBeCloseTo(red[0] + red[1] - blue[0], 4);
    expect((await explain('uniform', {}, { reduction: 'mean' })).image!.score).toBeCloseTo((red[0] + red[1]) / 2, 4);
    expect(alone.target).toBe('log-probability of “red cat”');
  });

  it('is taken apart into words, whose log-probabilities make the whole', async () => {
    const { answer, text, image: map } = await explain('input-x-gradient');
    expect(answer!.parts.map(part => part.text)).toEqual(['red', 'cat']);
    expect(answer!.parts[0].logProbability + answer!.parts[1].logProbability).toBeCloseTo(map!.score!, 5);
    // A gradient is linear in the target, so that the words' maps make the whole's.
    expectClose(
      map!.patches,
      map!.patches.map((_, i) => answer!.parts[0].patches![i] + answer!.parts[1].patches![i]),
      { rtol: 1e-3, atol: 1e-6 },
    );
    expect(text!.words.map(word => word.text)).toEqual(QUESTION.split(' '));
    expect((await explain('uniform', {}, { parts: 'none' })).answer!.parts).toEqual([]);
    expect((await explain('uniform', {}, { answer: 'yes' })).answer!.parts).toEqual([]);
  });

  it('is the own greedy one where none is given', async () => {
    const { answer } = await explain('uniform', {}, { answer: undefined, maxNewTokens: 3 });
    expect(answer!.own).toBe(true);
    expect((await explain('uniform')).answer!.own).toBe(false);
    const { answer: again } = await explain('uniform', {}, { answer: answer!.text });
    expect(again!.tokens).toEqual(answer!.tokens);
  });

  it('is occluded in the pixels: each patch has what its erasing takes from a plain forward pass', async () => {
    const { image: map } = await explain('occlusion');
    const full = (await plain('red cat')).reduce((a, b) => a + b);
    const picture = answerModelOf(chat).readPicture(chat.picture(image));
    for (const cell of [0, 1, picture.grid[1], map!.patches.length - 1]) {
      const without = await plain('red cat', pixels => {
        picture.pixelCells.forEach((of, i) => {
          if (of === cell) pixels[i] = 0;
        });
      });
      expect(map!.patches[cell]).toBeCloseTo(full - without.reduce((a, b) => a + b), 4);
    }
  });

  it('keeps its map through JSON, and gives its words as tensors', async () => {
    const result = await explain('saliency');
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
    expect(attributionTensors(result).get('answer.patches')!.shape).toEqual([2, ...result.image!.grid]);
  });

  it('is refused in one sentence where it cannot be', async () => {
    await expect(explain('uniform', {}, { answer: 'a giraffe' })).rejects.toThrow('cannot write "giraffe" of the answer "a giraffe"');
    await expect(explain('uniform', {}, { answer: ' ' })).rejects.toThrow('The answer is empty');
    await expect(explain('clip-surgery')).rejects.toThrow('clip-surgery explains image–caption pairs');
    await expect(explain('m2ib', { layer: 9 })).rejects.toThrow('The layer 9 is out of range: the decoder has');
    await expect(explain('m2ib', { compat: 'm2ib-official' })).rejects.toThrow('is for pairs; leave --compat out');
    await expect(explain('occlusion', { textRemoval: 'delete' })).rejects.toThrow('hidden from attention, not deleted');
    await expect(explain('centre-prior', {}, { modality: 'text' })).rejects.toThrow('makes no map of the text');
    expect(() => new AnswerAttributor(entry('exclip'), chat)).toThrow('exclip explains image–caption pairs');
  });
});

describe('every method that explains answers', () => {
  const few: Record<string, object> = {
    rise: { samples: 8 },
    lime: { samples: 40 },
    shapley: { samples: 40 },
    banzhaf: { samples: 60 },
    smoothgrad: { nSamples: 3 },
  };
  it('gives finite maps of picture and question that are not all one value', async () => {
    for (const method of answerMethods()) {
      const { image: map, text } = await explain(method.name, few[method.name] ?? {});
      if (method.modalities.includes('text')) expect(text!.words.length, method.name).toBe(6);
      expect(map!.patches.every(Number.isFinite), method.name).toBe(true);
      // The grid has four cells, which lie alike to the middle.
      if (!['uniform', 'centre-prior'].includes(method.name)) expect(new Set(map!.patches).size, method.name).toBeGreaterThan(1);
      // What does not play has nothing.
      for (const token of text?.tokens ?? []) if (token.special) expect(token.value, `${method.name} ${token.text}`).toBe(0);
    }
  }, 240_000);
});
