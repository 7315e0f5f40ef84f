/**
 * @file Accuracy of a LLaVA on instructions about scenes. One forward pass over question and right answer tells whether greedy decoding
 * would give exactly that answer and end there: every token must be the most likely one after the right ones before it.
 */
import { type CompiledGraph, input, type Value } from '../../graph/index.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { featureInput, tokenInputs } from '../../models/llava/files.ts';
import { forwardFeatures, type LlavaTap, languageHead } from '../../models/llava/forward.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { pickPlaces } from '../../nn/pick-places.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type Instruction, instructions } from '../../scenes/instructions.ts';
import { drawScene, type SceneOptions } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import type { Exam } from '../evaluation.ts';
import type { EncodedTurns } from './isolated-turns.ts';
import { tokenFeeds } from './token-feeds.ts';

/** Fresh scenes with one instruction of each task that they allow. */
export interface SceneExam {
  /** RGB bytes [size × size × 3] of each scene. */
  readonly images: readonly Uint8Array[];
  readonly items: readonly { readonly scene: number; readonly instruction: Instruction }[];
}

/** Draws scenes and asks. @param seed not one of a training run */
export function sceneExam(world: SceneWorld, size: number, seed: number, count: number, options: SceneOptions = {}): SceneExam {
  const scenes = new RandomStream(seed, 'exam.scenes');
  const asked = new RandomStream(seed, 'exam.turns');
  const images: Uint8Array[] = [];
  const items: { scene: number; instruction: Instruction }[] = [];
  for (let i = 0; i < count; i++) {
    const scene = drawScene(world, { width: size, height: size, ...options }, scenes.reader(0, i));
    images.push(Uint8Array.from(scene.image.data));
    for (const instruction of instructions(scene, asked.reader(0, i))) items.push({ scene: i, instruction });
  }
  return { images, items };
}

/**
 * Logits at chosen places. Inputs: those of `tokenInputs`, `tower_features` [images, N, width of the tower], `rows` [n] (places in
 * [batch · seq]), and `turns` where rows hold isolated turns. Outputs: `logits` [n, vocabulary], and `hidden.i` of the blocks in `states`
 * [batch, seq, width].
 */
export function examGraph(
  p: Parameters,
  config: LlavaConfig,
  tap?: LlavaTap,
  states: readonly number[] = [],
  isolated = false,
): Record<string, Value> {
  const tokens = { ...tokenInputs(), ...(isolated ? { turns: input('turns', ['batch', 'seq'], 'int32') } : {}) };
  const run = forwardFeatures(p, config, tokens, featureInput(config), tap);
  const logits = languageHead(p, config, pickPlaces(run.hidden.at(-1)!, input('rows', ['n'], 'int32')));
  return { logits, ...Object.fromEntries(states.map(i => [`hidden.${i}`, run.hidden[i + 1]])) };
}

/** A question as tokens; `labels` as in training. */
export interface ExamRow extends EncodedTurns {
  readonly scene: number;
}

/** For each row whether it was answered exactly right, the share of the answer's tokens that were right, and their mean log-likelihood, nats. */
export interface ExamResult {
  readonly correct: boolean[];
  readonly tokenAccuracy: number[];
  readonly logLikelihood: number[];
}

/** With what the model itself would say. */
export interface ExamAnswers extends ExamResult {
  /**
   * Log-probability of each row's greedy answer with its end, nats. Of a wrong answer only as far as its first wrong token, behind which it is
   * not known: what it says is no less likely than that.
   */
  readonly answerLogProbability: number[];
}

/** What rows are answered with. */
export interface Examiner {
  /** See `examGraph`. */
  readonly graph: CompiledGraph;
  readonly config: LlavaConfig;
  readonly rows: readonly ExamRow[];
  /** Of the tower, [scenes, N, width]. */
  readonly features: FloatTensor;
  /** Weights, alpha, whatever else the graph needs. */
  readonly feeds: Feeds;
}

/** Called with a batch's outputs, rows and modality, for representations. */
type OnBatch = (out: Readonly<Record<string, FloatTensor>>, rows: readonly ExamRow[], modality: Int32Array) => void;

/** Rows that are answered together. */
const BATCH = 32;

/** Numbers of the rows, batch by batch: alike lengths in a batch waste no padding. */
export function examOrder(rows: readonly ExamRow[], batchSize = BATCH): number[][] {
  const order = rows.map((_, i) => i).sort((a, b) => rows[a].ids.length - rows[b].ids.length || a - b);
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) => order.slice(i * batchSize, (i + 1) * batchSize));
}

/** Answers rows in batches. */
export async function examine(
  examiner: Examiner,
  options: { readonly batchSize?: number; readonly signal?: AbortSignal; readonly onBatch?: OnBatch } = {},
): Promise<ExamAnswers> {
  const result: ExamAnswers = { correct: [], tokenAccuracy: [], logLikelihood: [], answerLogProbability: [] };
  for (const chosen of examOrder(examiner.rows, options.batchSize)) {
    options.signal?.throwIfAborted();
    const part = await examineRows(examiner, chosen, options.onBatch);
    place(result, chosen, part);
    for (const [b, i] of chosen.entries()) result.answerLogProbability[i] = part.answerLogProbability[b];
  }
  return result;
}

/** Puts the results of a batch where its rows stand. */
function place(result: ExamResult, chosen: readonly number[], part: ExamResult): void {
  for (const [b, i] of chosen.entries()) {
    result.correct[i] = part.correct[b];
    result.tokenAccuracy[i] = part.tokenAccuracy[b];
    result.logLikelihood[i] = part.logLikelihood[b];
  }
}

/** An exam as part of a training's evaluation. @param figuresOf the figures of all rows, without `eval_` @param key of what the exam asks */
export function rowsExam(
  name: string,
  key: string,
  examiner: Examiner,
  figuresOf: (result: ExamResult) => Readonly<Record<string, number>>,
): Exam {
  const order = examOrder(examiner.rows);
  return {
    name,
    batches: order.map(chosen => ({
      units: chosen.length,
      key,
      async compute() {
        const { correct, tokenAccuracy, logLikelihood } = await examineRows(examiner, chosen);
        return { correct: correct.map(Number), token_accuracy: tokenAccuracy, log_likelihood: logLikelihood };
      },
    })),
    figures(results) {
      const all: ExamResult = { correct: [], tokenAccuracy: [], logLikelihood: [] };
      for (const [i, { correct, token_accuracy, log_likelihood }] of results.entries())
        place(all, order[i], {
          correct: correct.map(Boolean),
          tokenAccuracy: [...token_accuracy],
          logLikelihood: [...log_likelihood],
        });
      return Object.fromEntries(Object.entries(figuresOf(all)).map(([figure, value]) => [`eval_${figure}`, value]));
    },
  };
}

/** Features of some scenes [scenes, N, width], in their order. */
export function pickFeatures({ shape: [, tokens, width], data }: FloatTensor, scenes: readonly number[]): FloatTensor {
  const size = tokens * width;
  const picked = new Float32Array(scenes.length * size);
  for (const [b, scene] of scenes.entries()) picked.set(data.subarray(scene * size, (scene + 1) * size), b * size);
  return floats([scenes.length, tokens, width], picked);
}

/** Answers some rows together; results in their order. */
async function examineRows(
  { graph, config, rows, features, feeds }: Examiner,
  chosen: readonly number[],
  onBatch?: OnBatch,
): Promise<ExamAnswers> {
  const batch = chosen.map(i => rows[i]);
  const { labels, ...token } = tokenFeeds(config, batch, batch.length);
  const length = labels.shape[1];
  const places: number[] = [];
  for (let i = 0; i < labels.data.length; i++) if (i % length && Number(labels.data[i]) !== -100) places.push(i);
  const out = await graph.run({
    ...feeds,
    ...token,
    tower_features: pickFeatures(
      features,
      batch.map(({ scene }) => scene),
    ),
    rows: ints(
      [places.length],
      Int32Array.from(places, i => i - 1),
    ),
  });
  const { data, shape } = out.logits as FloatTensor;
  const sums = chosen.map(() => ({ right: 0, total: 0, count: 0, said: 0 }));
  for (const [n, at] of places.entries()) {
    const wanted = Number(labels.data[at]);
    const { best, bestLogProbability, logProbability } = readRow(data as Float32Array, n * shape[1], shape[1], wanted);
    const sum = sums[Math.floor(at / length)];
    if (sum.right === sum.count) sum.said += bestLogProbability;
    if (best === wanted) sum.right++;
    sum.total += logProbability;
    sum.count++;
  }
  onBatch?.(out as Record<string, FloatTensor>, batch, token.modality.data as Int32Array);
  return {
    correct: sums.map(({ right, count }) => right === count),
    tokenAccuracy: sums.map(({ right, count }) => right / count),
    logLikelihood: sums.map(({ total, count }) => total / count),
    answerLogProbability: sums.map(({ said }) => said),
  };
}

/** Most likely token of a row of logits, and the log-probabilities of it and of the wanted one. */
export function readRow(
  data: Float32Array,
  from: number,
  count: number,
  wanted: number,
): { best: number; bestLogProbability: number; logProbability: number } {
  let best = 0;
  for (let i = 1; i < count; i++) if (data[from + i] > data[from + best]) best = i;
  let total = 0;
  for (let i = 0; i < count; i++) total += Math.exp(data[from + i] - data[from + best]);
  const bestLogProbability = -Math.log(total);
  return { best, bestLogProbability, logProbability: data[from + wanted] - data[from + best] + bestLogProbability };
}
