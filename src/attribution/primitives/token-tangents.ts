/**
 * @file Tangents of a tower per token: how its features move when one token of a hidden state moves, averaged over a path. exCLIP's
 * integrated Jacobian times the input's difference, without the Jacobian.
 */

import { compile, grad, input, mul, sum } from '../../graph/index.ts';
import { graphKey } from '../../models/graph-key.ts';
import { floats } from '../../tensor/tensor.ts';
import { rowsThatFit } from '../memory.ts';
import type { MethodRun, TowerJob } from '../method.ts';
import { repeatFeeds } from '../perturbation/token-state.ts';
import { chunks, inputRows, row } from '../rows.ts';

/** Rows of one run at most. */
const MOST_ROWS = 128;

/**
 * Σ over the path from a reference to pair p's hidden state of J·δ, for every token: [N, E]. One tangent per token costs less than one
 * gradient per feature. The tangent is the gradient of a gradient: g(v) = Jᵀv is linear in v, so d⟨g(v), δ⟩/dv = J·δ whatever v is.
 * @param reference hidden state at the job's layer, [N, D]
 * @param points shares of the way, in 0…1
 */
export async function tokenTangents(
  run: Pick<MethodRun, 'model' | 'maxMemory' | 'signal' | 'keep' | 'passes'>,
  job: TowerJob,
  p: number,
  reference: Float32Array,
  points: readonly number[],
): Promise<Float64Array> {
  const { tower, modality, layer } = job;
  const [, tokens, width] = job.hidden.shape;
  const to = row(job.hidden, p);
  const inputs = inputRows(job.inputs, [p, p + 1]);
  const graph = await run.keep(graphKey('tangents', { ...job, inputs, target: undefined }), () => {
    const named = modality === 'image' ? tokens : 'seq';
    const hidden = input('hidden', ['batch', named, width]);
    const cotangent = input('cotangent', ['batch', tower.features]);
    const features = tower.suffix(layer, hidden, 1, inputs);
    const [pulled] = grad(sum(mul(features, cotangent)), [hidden]);
    const [tangent] = grad(sum(mul(pulled, input('direction', ['batch', named, width]))), [cotangent]);
    return compile(run.model.runtime, { tangent });
  });
  // A batch's padding is read by nobody.
  const padding = inputs.attention_mask?.data as Int32Array | undefined;
  const realTokens = Array.from({ length: tokens }, (_, i) => i).filter(token => padding?.[token] !== 0);
  const jobs = points.flatMap(t => realTokens.map(token => ({ t, token })));
  const out = new Float64Array(tokens * tower.features);
  const blocks = tower.layers - 1 - layer;
  const size = tokens * width;
  for (const [start, end] of chunks(jobs.length, Math.min(MOST_ROWS, rowsThatFit(run.maxMemory, tower, tokens, blocks, true)))) {
    run.signal?.throwIfAborted();
    const part = jobs.slice(start, end);
    const hidden = new Float32Array(part.length * size);
    const direction = new Float32Array(part.length * size);
    part.forEach(({ t, token }, i) => {
      for (let at = 0; at < size; at++) hidden[i * size + at] = reference[at] + t * (to[at] - reference[at]);
      for (let d = token * width; d < (token + 1) * width; d++) direction[i * size + d] = to[d] - reference[d];
    });
    const shape = [part.length, tokens, width];
    const { tangent } = await graph.run({
      ...repeatFeeds(tower.suffixFeeds(inputs), part.length),
      hidden: floats(shape, hidden),
      direction: floats(shape, direction),
      cotangent: floats([part.length, tower.features], new Float32Array(part.length * tower.features)),
    });
    part.forEach(({ token }, i) => {
      for (let e = 0; e < tower.features; e++)
        out[token * tower.features + e] += (tangent.data as Float32Array)[i * tower.features + e] / points.length;
    });
    run.passes(modality, part.length, blocks, blocks);
  }
  return out;
}
