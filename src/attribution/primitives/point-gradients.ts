/**
 * @file Suffix forward and backward from chosen points: the target and its gradient at S points per pair, where a point takes the place of
 * the tower's source (pixels, token embeddings) or of a hidden state. All gradient and path methods are sums over this. What lies in front
 * of the points is never computed again, and no gradient of a weight is formed.
 */

import { type CompiledGraph, compile, grad, input, squeeze, sum } from '../../graph/index.ts';
import type { TowerInputs } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import { rowBytes } from '../../models/row-bytes.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats, ints, sizeOf, type Tensor } from '../../tensor/tensor.ts';
import { fittingRows } from '../memory.ts';
import type { MethodRun, TowerJob } from '../method.ts';
import { inputRows } from '../rows.ts';
import { targetFeeds, targetScore } from '../target.ts';

/** What a point replaces: the tower's source, or the job's hidden state. */
export type Place = 'source' | 'hidden';

/** What the primitives need of a run. */
export type GradientRun = Pick<MethodRun, 'keep' | 'advance' | 'passes' | 'maxMemory'> & {
  readonly model: Pick<MethodRun['model'], 'runtime'>;
};

/** Points of P pairs: S for each. */
export interface Points {
  /** S */
  readonly count: number;
  /** Writes point s of pair p, [size of a state]. */
  fill(p: number, s: number, out: Float32Array): void;
  /** Takes the gradient at that point (only valid during the call) and the target there. Called in order of p, then s. */
  take(p: number, s: number, gradient: Float32Array, score: number): void;
}

/** More rows than this in one run are no faster. */
const MOST_ROWS = 32;

/** Blocks of the tower that run above a place. */
export const blocksAbove = (job: TowerJob, place: Place): number => job.tower.layers - 1 - (place === 'source' ? -1 : job.layer);

/** What the points replace, [P, …]: pixels [P, 3, H, W], token embeddings [P, T, D], or hidden states [P, N, D]. */
export async function stateOf(run: GradientRun, job: TowerJob, place: Place): Promise<FloatTensor> {
  return place === 'hidden' ? job.hidden : sourceOf(run, job, job.inputs);
}

/** The tower's source for some inputs: pixels as they are, embeddings of token ids. */
export async function sourceOf(run: GradientRun, job: TowerJob, inputs: TowerInputs): Promise<FloatTensor> {
  if (job.modality === 'image') return inputs.pixel_values as FloatTensor;
  const graph = await run.keep(graphKey('source', { modality: 'text', layer: -1, inputs }), () =>
    compile(run.model.runtime, { source: job.tower.source(inputs) }, { prepack: false }),
  );
  return (await graph.run(inputs)).source as FloatTensor;
}

/**
 * Evaluates all points, in chunks that fit in memory. A point counts as one unit of progress.
 * @param state what `stateOf` gave; only its shape is used
 */
export async function pointGradients(run: GradientRun, job: TowerJob, place: Place, state: FloatTensor, points: Points): Promise<void> {
  const { tower, tokens, target } = job;
  const [pairs, ...rest] = state.shape;
  const size = sizeOf(rest);
  const blocks = blocksAbove(job, place);
  const bytes = rowBytes(tower, tokens, blocks, true) + 4 * (3 * size + target.vectors.data.length / pairs);
  const total = pairs * points.count;
  const fits = Math.min(
    MOST_ROWS,
    fittingRows(run.maxMemory, bytes, `One backward pass of the ${tower.modality} tower over ${tokens} tokens`),
  );
  // Chunks of about one size, as a session reserves memory for the largest.
  const chunk = Math.ceil(total / Math.ceil(total / fits));
  const graph = await gradientGraph(run, job, place, rest);
  const side = tower.suffixFeeds(job.inputs);
  const buffer = new Float32Array(Math.min(chunk, total) * size);
  for (let from = 0; from < total; from += chunk) {
    const count = Math.min(chunk, total - from);
    const owner = Array.from({ length: count }, (_, i) => Math.floor((from + i) / points.count));
    for (let i = 0; i < count; i++) points.fill(owner[i], (from + i) % points.count, buffer.subarray(i * size, (i + 1) * size));
    const feeds: Feeds = {
      ...pick(side, owner),
      target: pickRows(targetFeeds(target, [0, pairs]).target, owner),
      point: floats([count, ...rest], buffer.subarray(0, count * size)),
    };
    const out = await graph.run(feeds);
    const [gradients, scores] = [out.gradient.data as Float32Array, out.score.data as Float32Array];
    for (let i = 0; i < count; i++)
      points.take(owner[i], (from + i) % points.count, gradients.subarray(i * size, (i + 1) * size), scores[i]);
    run.passes(job.modality, count, blocks, blocks);
    run.advance(count);
  }
}

/** Every point is a row with its own target and side inputs, so that one graph serves any number of pairs and points. */
function gradientGraph(run: GradientRun, job: TowerJob, place: Place, rest: readonly number[]): Promise<CompiledGraph> {
  const { tower, modality, inputs, target } = job;
  const layer = place === 'source' ? -1 : job.layer;
  const shape = modality === 'text' ? ['batch', 'seq', ...rest.slice(1)] : ['batch', ...rest];
  return run.keep(graphKey('gradient', job, { place, shape }), () => {
    const point = input('point', shape);
    const hidden = place === 'source' ? tower.embed(point, inputs) : point;
    const score = squeeze(targetScore(tower.suffix(layer, hidden, 1, inputs), 1, target), 1);
    const [gradient] = grad(sum(score), [point]);
    return compile(run.model.runtime, { score, gradient });
  });
}

/** Rows of a [P, …] tensor in the order of `indices`, each as often as it is named. */
function pickRows<T extends Tensor>(t: T, indices: readonly number[]): T {
  const size = t.data.length / t.shape[0];
  // The usual case, a whole batch or a stretch of it, needs no copy.
  if (indices.every((index, i) => index === indices[0] + i))
    return inputRows({ t }, [indices[0], indices[0] + indices.length]).t as unknown as T;
  const shape = [indices.length, ...t.shape.slice(1)];
  const out = t.dtype === 'float32' ? floats(shape, new Float32Array(sizeOf(shape))) : ints(shape, new Int32Array(sizeOf(shape)));
  indices.forEach((index, i) => {
    (out.data as Float32Array).set(t.data.subarray(index * size, (index + 1) * size) as Float32Array, i * size);
  });
  return out as unknown as T;
}

const pick = (inputs: TowerInputs, indices: readonly number[]): TowerInputs =>
  Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, pickRows(t, indices)]));
