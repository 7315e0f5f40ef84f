import { beforeAll, expect, it } from 'vitest';
import type { CompiledGraph } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { floats } from '../../tensor/tensor.ts';
import { encodeTurns } from './scene-batch.ts';
import { type Examiner, type ExamRow, examine, examOrder, rowsExam } from './scene-eval.ts';
import { sceneLlavaSource } from './scene-source.ts';

const VOCABULARY = 600;
let config: LlavaConfig;
let perImage: number;
beforeAll(async () => {
  ({ config } = await sceneLlavaSource('scene-clip'));
  perImage = imageTokens(config);
});

/** Rows about scenes; the longest comes first, so that batches have another order. */
const rowsOf = (asked: readonly (readonly [question: string, answer: string, scene: number])[]): ExamRow[] =>
  asked.map(([question, answer, scene]) => ({ ...encodeTurns([{ question, answer }], perImage), scene }));

/**
 * An examiner whose graph says at every place the token that follows there, but for the `wrong` ones, [row, nth token of the answer]. Logits
 * are 3 for what it says, 0 for the rest.
 */
function examiner(rows: readonly ExamRow[], wrong: readonly (readonly [number, number])[], seen: Feeds[] = []): Examiner {
  const run = async (feeds: Feeds) => {
    seen.push(feeds);
    const [count, length] = feeds.attention_mask.shape;
    const lengths = Array.from({ length: count }, (_, b) =>
      Array.from(feeds.attention_mask.data, Number)
        .slice(b * length, (b + 1) * length)
        .reduce((sum, v) => sum + v, 0),
    );
    const left = rows.map((_, i) => i);
    const order = lengths.map(
      n =>
        left.splice(
          left.findIndex(i => rows[i].ids.length === n),
          1,
        )[0],
    );
    const places = Array.from(feeds.rows.data as Int32Array);
    const logits = new Float32Array(places.length * VOCABULARY);
    for (const [k, place] of places.entries()) {
      const [i, next] = [order[Math.floor(place / length)], (place % length) + 1];
      const nth = rows[i].labels.slice(0, next).filter(label => label !== -100).length;
      const mistaken = wrong.some(([row, token]) => row === i && token === nth);
      logits[k * VOCABULARY + (mistaken ? 599 : rows[i].ids[next])] = 3;
    }
    return { logits: floats([places.length, VOCABULARY], logits) };
  };
  const features = floats(
    [3, perImage, 1],
    Float32Array.from({ length: 3 * perImage }, (_, i) => Math.floor(i / perImage)),
  );
  return { graph: { run } as unknown as CompiledGraph, config, rows, features, feeds: {} };
}

const RIGHT = 3 - Math.log(Math.exp(3) + VOCABULARY - 1);
const WRONG = -Math.log(Math.exp(3) + VOCABULARY - 1);
const ASKED = [
  ['is there a cat in the picture ?', 'yes', 2],
  ['is there a cat ?', 'no', 0],
  ['how many things are there in the picture ?', 'two', 1],
] as const;

it('an answer is right where every token and the end are; each is scored behind the token before it', async () => {
  const rows = rowsOf(ASKED);
  expect(rows.map(row => row.labels.filter(label => label !== -100).length)).toEqual([2, 2, 2]);
  for (const batchSize of [32, 2, 1]) {
    const { correct, tokenAccuracy, logLikelihood } = await examine(examiner(rows, [[2, 1]]), { batchSize });
    expect(correct).toEqual([true, true, false]);
    expect(tokenAccuracy).toEqual([1, 1, 0.5]);
    expect(logLikelihood[0]).toBeCloseTo(RIGHT, 5);
    expect(logLikelihood[1]).toBeCloseTo(RIGHT, 5);
    expect(logLikelihood[2]).toBeCloseTo((RIGHT + WRONG) / 2, 5);
  }
  // Not to end is a mistake too.
  expect((await examine(examiner(rows, [[0, 0]]))).correct).toEqual([false, true, true]);
});

it('what a model says itself is scored as far as it is known: up to its first wrong token', async () => {
  const mistakes = [
    [0, 0],
    [2, 1],
  ] as const;
  for (const batchSize of [32, 1]) {
    const { answerLogProbability } = await examine(examiner(rowsOf(ASKED), mistakes), { batchSize });
    expect(answerLogProbability[0]).toBeCloseTo(RIGHT, 5);
    expect(answerLogProbability[1]).toBeCloseTo(2 * RIGHT, 5);
    expect(answerLogProbability[2]).toBeCloseTo(2 * RIGHT, 5);
  }
});

it('rows of like length go together, each with the features of its scene', async () => {
  const rows = rowsOf(ASKED);
  expect(examOrder(rows, 2)).toEqual([[1, 0], [2]]);
  const seen: Feeds[] = [];
  await examine(examiner(rows, [], seen), { batchSize: 2 });
  const scenes = seen.map(({ tower_features: { data } }) => Array.from({ length: data.length / perImage }, (_, i) => data[i * perImage]));
  expect(scenes).toEqual([[0, 2], [1]]);
  expect(seen.map(({ tower_features: { shape } }) => shape)).toEqual([
    [2, perImage, 1],
    [1, perImage, 1],
  ]);
});

it("an exam's figures are of all rows in their order, whatever batches they went in", async () => {
  const rows = rowsOf(Array.from({ length: 40 }, (_, i) => ASKED[i % 3]));
  const exam = rowsExam('scenes', 'k', examiner(rows, []), ({ correct, tokenAccuracy, logLikelihood }) => ({
    ...{ right: correct.length, first: Number(correct[0]), accuracy: tokenAccuracy[5], likelihood: logLikelihood[39] },
  }));
  expect(exam.batches.map(({ units, key }) => [units, key])).toEqual([
    [32, 'k'],
    [8, 'k'],
  ]);
  const results = exam.batches.map(({ units }, i) => ({
    correct: Array<number>(units).fill(i),
    token_accuracy: Array.from({ length: units }, (_, b) => 100 * i + b),
    log_likelihood: Array<number>(units).fill(-i),
  }));
  const order = examOrder(rows);
  const place = (row: number): number => 100 * order.findIndex(batch => batch.includes(row)) + Math.max(...order.map(b => b.indexOf(row)));
  expect(exam.figures(results)).toEqual({
    eval_right: 40,
    eval_first: Number(place(0) >= 100),
    eval_accuracy: place(5),
    eval_likelihood: expect.closeTo(place(39) >= 100 ? -1 : 0, 9),
  });
  expect(await rowsExam('scenes', 'k', examiner(rows.slice(0, 3), []), () => ({})).batches[0].compute()).toEqual({
    correct: [1, 1, 1],
    token_accuracy: [1, 1, 1],
    log_likelihood: Array(3).fill(expect.closeTo(RIGHT, 5)),
  });
});
