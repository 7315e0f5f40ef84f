/**
 * @file Accuracy of a LLaVA on instructions about scenes. One forward pass over question and right answer tells whether greedy decoding
 * would give exactly that answer and end there: every token must be the most likely one after the right ones before it.
 */
import { type CompiledGraph, gather, input, reshape, type Value } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig, towerWidth } from '../../models/llava/config.ts';
import { tokenInputs } from '../../models/llava/files.ts';
import { forwardFeatures, type LlavaTap, languageHead } from '../../models/llava/forward.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type Instruction, instructions } from '../../scenes/instructions.ts';
import { drawScene, type SceneOptions } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { type EncodedTurns, tokenFeeds } from './token-feeds.ts';

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
 * [batch · seq]). Outputs: `logits` [n, vocabulary], and `hidden.i` of the blocks in `states` [batch, seq, width].
 */
export function examGraph(p: Parameters, config: LlavaConfig, tap?: LlavaTap, states: readonly number[] = []): Record<string, Value> {
  const run = forwardFeatures(p, config, tokenInputs(), input('tower_features', ['images', imageTokens(config), towerWidth(config)]), tap);
  const last = reshape(run.hidden.at(-1)!, ['batch*seq', config.text_config.hidden_size]);
  const logits = languageHead(p, config, gather(last, input('rows', ['n'], 'int32')));
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

/**
 * Answers rows in batches. @param features [scenes, N, width] of the tower; @param feeds weights, alpha, whatever else the graph needs
 * @param onBatch called with each batch's outputs, rows and modality, for representations
 */
export async function examine(
  graph: CompiledGraph,
  config: LlavaConfig,
  rows: readonly ExamRow[],
  features: FloatTensor,
  feeds: Feeds,
  options: {
    readonly batchSize?: number;
    readonly signal?: AbortSignal;
    onBatch?(out: Readonly<Record<string, FloatTensor>>, rows: readonly ExamRow[], modality: Int32Array): void;
  } = {},
): Promise<ExamResult> {
  const { batchSize = 32 } = options;
  const [, tokens, width] = features.shape;
  const result: ExamResult = { correct: [], tokenAccuracy: [], logLikelihood: [] };
  // Alike lengths in a batch waste no padding.
  const order = rows.map((_, i) => i).sort((a, b) => rows[a].ids.length - rows[b].ids.length || a - b);
  for (let at = 0; at < order.length; at += batchSize) {
    options.signal?.throwIfAborted();
    const chosen = order.slice(at, at + batchSize);
    const batch = chosen.map(i => rows[i]);
    const { labels, ...token } = tokenFeeds(config, batch, batch.length);
    const picked = new Float32Array(batch.length * tokens * width);
    for (const [b, { scene }] of batch.entries())
      picked.set(features.data.subarray(scene * tokens * width, (scene + 1) * tokens * width), b * tokens * width);
    const length = labels.shape[1];
    const places: number[] = [];
    for (let i = 0; i < labels.data.length; i++) if (i % length && Number(labels.data[i]) !== -100) places.push(i);
    const out = await graph.run({
      ...feeds,
      ...token,
      tower_features: floats([batch.length, tokens, width], picked),
      rows: ints(
        [places.length],
        Int32Array.from(places, i => i - 1),
      ),
    });
    const { data, shape } = out.logits as FloatTensor;
    const sums = chosen.map(() => ({ right: 0, total: 0, count: 0 }));
    for (const [n, place] of places.entries()) {
      const wanted = Number(labels.data[place]);
      const { best, logProbability } = readRow(data as Float32Array, n * shape[1], shape[1], wanted);
      const sum = sums[Math.floor(place / length)];
      if (best === wanted) sum.right++;
      sum.total += logProbability;
      sum.count++;
    }
    for (const [b, i] of chosen.entries()) {
      result.correct[i] = sums[b].right === sums[b].count;
      result.tokenAccuracy[i] = sums[b].right / sums[b].count;
      result.logLikelihood[i] = sums[b].total / sums[b].count;
    }
    options.onBatch?.(out as Record<string, FloatTensor>, batch, token.modality.data as Int32Array);
  }
  return result;
}

/** Most likely token of a row of logits, and the log-probability of the wanted one. */
function readRow(data: Float32Array, from: number, count: number, wanted: number): { best: number; logProbability: number } {
  let best = 0;
  for (let i = 1; i < count; i++) if (data[from + i] > data[from + best]) best = i;
  let total = 0;
  for (let i = 0; i < count; i++) total += Math.exp(data[from + i] - data[from + best]);
  return { best, logProbability: data[from + wanted] - data[from + best] - Math.log(total) };
}
