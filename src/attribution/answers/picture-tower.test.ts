/** Gates in front of the decoder, on the vision tower's output, of LLaVA and of LLaVA-Mini; and all that explains LLaVA-Mini's answers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { writeTinyChat } from '../../generation/testing/tiny-chat.ts';
import { compile, input, mulDims, reshape } from '../../graph/index.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { answerMethods, findMethod } from '../registry.ts';
import { explainSubject } from '../subject.ts';
import { answerModelOf } from './answer-attributor.ts';
import { rowJob } from './answer-jobs.ts';
import { answeredRow } from './answer-row.ts';
import { answerTarget } from './answer-targets.ts';
import { pictureTower } from './picture-tower.ts';

const QUESTION = 'is it red ?';
const ANSWER = 'yes red';
/** Two pictures all of whose pixels differ. */
const pictures = [37, 53].map(
  (step): RgbImage => ({ width: 12, height: 12, data: Uint8Array.from({ length: 432 }, (_, i) => (i * step + (i % 7) * 11) % 256) }),
);

let root: string;
const chats = new Map<string, ChatModel>();
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-towers-'));
  const mini = '../../llava-mini/testdata';
  const models = { llava: 'qwen2-tied', paper: `${mini}/paper-llama`, checkpoint: `${mini}/checkpoint-llama3` };
  for (const [name, from] of Object.entries(models)) {
    const directory = await writeTinyChat(join(root, name), from, { image_token_index: from.startsWith('..') ? 49 : 59 });
    chats.set(name, await ChatModel.open(directory));
  }
});
afterAll(async () => {
  for (const chat of chats.values()) await chat.release();
  await rm(root, { recursive: true });
});

const rowOf = (chat: ChatModel, image: RgbImage) => {
  const model = answerModelOf(chat);
  return answeredRow(chat, model, model.readPicture(chat.picture(image)), QUESTION, [ANSWER]);
};

/** Log-probabilities of the answer's tokens by the model's plain forward pass. */
async function plain(chat: ChatModel, image: RgbImage, change: (pixels: Float32Array) => void = () => {}): Promise<number[]> {
  const row = rowOf(chat, image);
  const pixels = row.picture.pixels.data.slice();
  change(pixels);
  const shape = [1, row.ids.length];
  const inputs = { inputIds: ints(shape, [...row.ids]), pixelValues: floats(row.picture.pixels.shape, pixels) };
  // Only a LLaVA-Mini reads it: what is no answer is fused.
  const instruction = ints(
    shape,
    row.turns.map(turn => Number(turn === 0)),
  );
  const { logits } = await chat.model.forward({ ...inputs, instruction } as Parameters<typeof chat.model.forward>[0]);
  const vocabulary = logits.shape[2];
  return row.answers[0].tokens.map(({ id, at }) => {
    const scores = Array.from(logits.data.subarray((at - 1) * vocabulary, at * vocabulary));
    return scores[id] - Math.log(scores.reduce((sum, v) => sum + Math.exp(v), 0));
  });
}

const explain = (name: string, method: string, options: object = {}, run: object = {}) =>
  explainSubject(
    findMethod(method)!,
    { kind: 'question', model: chats.get(name)!, pair: { image: pictures[0], text: QUESTION } },
    { ...options },
    { answer: ANSWER, ...run },
  );

describe.each(['llava', 'paper', 'checkpoint'])('the answers of %s', name => {
  it('follow from the output of the vision tower, every row from its own picture, whatever stands beside it', async () => {
    const chat = chats.get(name)!;
    const model = answerModelOf(chat);
    const row = rowOf(chat, pictures[0]);
    const tower = pictureTower(model, model.vision!, row.picture, row.answers[0].tokens.length);
    const graph = await compile(model.runtime, { tower: model.vision!.tower(model.declare(row.picture).pixels) });
    const states = await Promise.all(
      pictures.map(async image => (await graph.run({ pixel_values: rowOf(chat, image).picture.pixels })).tower.data as Float32Array),
    );
    await graph.release();
    const [count, width] = [row.picture.towerCells!.length, model.vision!.width];
    // Two targets of two samples each; of the second target the pictures change places.
    const order = [0, 1, 1, 0];
    const hidden = floats(
      [2, 2, count, width],
      order.flatMap(i => [...states[i]]),
    );
    const encoded = { hidden: floats([1, count, width], states[0]), logProbabilities: new Float32Array(row.answers[0].tokens.length) };
    const players = Array.from({ length: count }, (_, i) => i);
    const whole = answerTarget(row, [], 'sum');
    const target = { ...whole, vectors: floats([2, 1, 2], [1, 1, 1, 1]) };
    const nothing = () => Promise.reject(new Error('not asked for'));
    const job = rowJob(row, tower, encoded, { layer: -2, target, players, readFrom: [[0], [0]], nothing });
    const suffix = await compile(model.runtime, {
      features: tower.suffix(
        -2,
        reshape(input('hidden', ['batch', 2, count, width]), [mulDims(['batch', 2]), count, width]),
        2,
        job.inputs,
      ),
    });
    const { features } = await suffix.run({ ...job.inputs, hidden });
    await suffix.release();
    const wanted = await Promise.all(pictures.map(image => plain(chat, image)));
    expect(wanted[0]).not.toEqual(wanted[1]);
    expectClose(
      features.data as Float32Array,
      order.flatMap(i => wanted[i]),
      { rtol: 1e-4, label: name },
    );
  });

  it('are explained by a gate there: a map of the picture alone, that keeps more where less is charged', async () => {
    const [cheap, dear] = [await explain(name, 'm2ib', { layer: -2, beta: 0.1 }), await explain(name, 'm2ib', { layer: -2, beta: 100 })];
    expect(cheap.text).toBeUndefined();
    expect(cheap.parameters.layer).toBe(-2);
    const cells = name === 'llava' ? 4 : 16;
    expect(cheap.image!.patches.length).toBe(cells);
    const nats = (map: Float32Array): number => map.reduce((a, b) => a + b, 0);
    expect(nats(cheap.image!.patches)).toBeGreaterThan(2 * nats(dear.image!.patches));
    expect(cheap.answer!.parts.map(part => part.patches!.length)).toEqual([cells, cells]);
    await expect(explain(name, 'm2ib', { layer: -2 }, { modality: 'text' })).rejects.toThrow('makes no map of the question');
  });

  it('are scored and occluded as plain forward passes say, and their words hidden from attention', async () => {
    const chat = chats.get(name)!;
    const { image: map, text } = await explain(name, 'occlusion', { window: 1 });
    const full = (await plain(chat, pictures[0])).reduce((a, b) => a + b);
    expect(map!.score).toBeCloseTo(full, 4);
    const { pixelCells } = rowOf(chat, pictures[0]).picture;
    for (const cell of [0, 1, map!.patches.length - 1]) {
      const without = await plain(chat, pictures[0], pixels => {
        pixelCells.forEach((of, i) => {
          if (of === cell) pixels[i] = 0;
        });
      });
      expect(map!.patches[cell], `${cell}`).toBeCloseTo(full - without.reduce((a, b) => a + b), 4);
    }
    expect(text!.words.some(word => Math.abs(word.value) > 1e-5)).toBe(true);
  });
});

it('every method for answers serves a LLaVA-Mini, or says why not and what does', async () => {
  const few: Record<string, object> = { rise: { samples: 8 }, lime: { samples: 40 }, shapley: { samples: 40 }, banzhaf: { samples: 60 } };
  const refused: string[] = [];
  for (const { name, modalities } of answerMethods()) {
    try {
      const { image } = await explain('paper', name, few[name] ?? {}, { parts: 'none' });
      expect(modalities).toContain('image');
      expect(image!.patches.length, name).toBe(16);
      expect(image!.patches.every(Number.isFinite), name).toBe(true);
    } catch (error) {
      refused.push(name);
      expect(String(error), name).toContain('so that none shows a single patch; take m2ib');
    }
  }
  expect(refused).toEqual(expect.arrayContaining(['saliency', 'chefer', 'grad-cam']));
  for (const served of ['m2ib', 'm2ib-token', 'occlusion', 'rise', 'lime', 'kernel-shap', 'shapley', 'banzhaf', 'random'])
    expect(refused).not.toContain(served);
  await expect(explain('paper', 'occlusion', { removal: 'drop' })).rejects.toThrow('No token of this model shows a single patch');
}, 120_000);
