import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { GraphCache } from '../../graph/index.ts';
import type { LlavaModel } from '../../models/llava/model.ts';
import { directoryOf } from '../../models/llava/testing/goldens.ts';
import { LlavaModel as Pretrained } from '../../models/pretrained.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { MethodRun } from '../method.ts';
import { explainByGate } from '../primitives/gate.ts';
import { pointGradients } from '../primitives/point-gradients.ts';
import { encodeRow, rowJob } from './answer-jobs.ts';
import type { AnsweredRow } from './answer-row.ts';
import { answerTarget } from './answer-targets.ts';
import { pictureTower, TOWER_LAYER } from './picture-tower.ts';
import { rowTower } from './row-tower.ts';

const FILE = fileURLToPath(new URL('testdata/answer-reference.safetensors', import.meta.url));

let model: LlavaModel;
let row: AnsweredRow;
const golden = new Map<string, FloatTensor>();
const graphs = new GraphCache();

beforeAll(async () => {
  await readFile(FILE);
  const { tensors } = await openSafetensors(FILE);
  const whole = async (name: string): Promise<number[]> => Array.from((await readTensor(tensors.get(name)!)).data as Int32Array, Number);
  for (const [name, entry] of tensors) if (!entry.dtype.startsWith('int')) golden.set(name, floats(entry.shape, await readFloats(entry)));
  model = await Pretrained.fromPretrained(directoryOf('llava-tiny'));
  const answers = model.answers();
  const [ids, image, words, answer] = await Promise.all(['input_ids', 'image', 'words', 'answer'].map(whole));
  const { size } = { size: model.config.vision_config.image_size };
  const read = answers.readPicture({ width: size, height: size, data: new Uint8Array(size * size * 3) });
  const picture = { ...read, pixels: golden.get('pixel_values')! };
  const turns = ids.map((_, i) => (answer.includes(i) ? 1 : 0));
  const { feeds, imageTokens } = answers.placeRow(ids, turns, picture);
  expect(imageTokens).toEqual(image);
  const token = (at: number) => ({ id: ids[at], text: `t${at}`, special: false, start: 0, end: 0, at, from: at - 1 });
  row = {
    ...{ model: answers, picture, question: '', ids, turns, feeds, promptTokens: [] },
    ...{ imagePlaces: imageTokens, imageTokens, wordTokens: words, answers: [{ text: 'an answer', tokens: answer.map(token) }] },
  };
});
afterAll(async () => {
  await graphs.release();
  await model.release();
});

/** A run whose parts that these primitives read are there. */
const runOf = (): MethodRun =>
  ({
    ...{ keep: graphs.keep, advance() {}, plan() {}, passes() {}, warn() {}, maxMemory: 2 ** 30, seed: 0 },
    model: { runtime: model.parts.runtime },
  }) as unknown as MethodRun;

async function jobAt(layer: number) {
  const atTower = layer === TOWER_LAYER;
  const tower = atTower ? pictureTower(row.model, row.model.vision!, row.picture, 3) : rowTower(row.model, row.picture, 3);
  const encoded = await encodeRow(row, tower, layer, graphs.keep);
  const target = answerTarget(row, [], 'sum');
  const players = atTower ? row.picture.towerCells!.map((_, i) => i) : [...row.imageTokens, ...row.wordTokens];
  const nothing = () => Promise.reject(new Error('not asked for'));
  return { encoded, job: rowJob(row, tower, encoded, { layer, target, players, readFrom: [[row.ids.length - 4]], nothing }) };
}

describe('answers of llava-tiny, against PyTorch', () => {
  it('have its log-probabilities and its gradient at the embeddings of picture and question', async () => {
    const { encoded, job } = await jobAt(-1);
    expectClose(encoded.logProbabilities, golden.get('log_probabilities')!.data, { rtol: 1e-5 });
    expect(job.scores[0]).toBeCloseTo(
      golden.get('log_probabilities')!.data.reduce((a, b) => a + b),
      4,
    );
    const found = new Float32Array(job.hidden.data.length);
    await pointGradients(runOf(), job, 'source', job.hidden, {
      count: 1,
      fill: (_p, _s, out) => out.set(job.hidden.data),
      take: (_p, _s, g) => found.set(g),
    });
    const width = row.model.width;
    const { data } = golden.get('gradient')!;
    for (const at of [...row.imageTokens, ...row.wordTokens])
      expectClose(found.slice(at * width, (at + 1) * width), data.slice(at * width, (at + 1) * width), {
        rtol: 1e-3,
        atol: 2e-6,
        label: `token ${at}`,
      });
    // Tokens that do not play keep what they are: nothing of them is explained.
    expect(found.slice(0, width).every(v => v === 0)).toBe(true);
  });

  it.each([-1, 1, TOWER_LAYER])('give M2IB with the same noise the same nats: gate at layer %d', async layer => {
    const { job } = await jobAt(layer);
    const noise = golden.get(`layer${layer}.noise`)!;
    const [steps, samples, ...state] = noise.shape;
    const size = noise.data.length / steps;
    const settings = { beta: 10, steps, learningRate: 1, batchSize: samples, variance: 0.3, normalisation: 'sample' } as const;
    const variant = { noise: (step: number) => floats([samples, ...state], noise.data.slice(step * size, (step + 1) * size)) };
    const [{ tokens, curves }] = await explainByGate(
      runOf(),
      job,
      { ...settings, antithetic: false, perToken: false, official: false },
      variant,
    );
    expectClose(curves!.fit, golden.get(`layer${layer}.fit`)!.data, { rtol: 2e-4, label: 'fit' });
    expectClose(tokens, golden.get(`layer${layer}.nats`)!.data, { rtol: 5e-3, atol: 1e-3, label: 'nats' });
  });
});
