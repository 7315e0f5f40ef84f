/** @file For tests: a tower whose target is a known function of a linear form of its hidden state, and a run around it. */
import { concat, constant, GraphCache, mul, type Releasable, sum, unsqueeze, type Value } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import type { GradientRun } from '../primitives/point-gradients.ts';
import { linearTarget } from '../target.ts';

/** Standard normal numbers, scaled. */
export const normals = (name: string, shape: readonly number[], scale = 1): FloatTensor =>
  floats(
    shape,
    new RandomStream(11, name).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b, 1))).map(v => v * scale),
  );

/** Σ weights · one pair's state. */
export const form = (weights: FloatTensor, state: ArrayLike<number>): number =>
  weights.data.reduce((total, w, i) => total + w * state[i], 0);

/** A job over hidden states [P, N, D], a run for it, and what the run was given. */
export interface ToyRun {
  readonly run: GradientRun & Releasable;
  readonly job: TowerJob;
  readonly seen: { points: number; chunks: number };
}

/**
 * The target is the first of two features, which must be a unit vector, of l = Σ weights · hidden.
 * @param features [B] to both features, [B] each; @param score the first of them on the host
 */
export function toyRun(
  hidden: FloatTensor,
  weights: FloatTensor,
  features: (l: Value) => readonly [Value, Value],
  score: (l: number) => number,
  maxMemory = 2 ** 20,
): ToyRun {
  const [pairs, tokens, width] = hidden.shape;
  const of = (h: Value): Value => {
    const both = features(sum(mul(h, constant(weights)), [1, 2]));
    return concat(
      both.map(f => unsqueeze(f, 1)),
      1,
    );
  };
  const trace = (_layer: number, hidden: Value) => {
    // A norm that does nothing: activations are the hidden state.
    const normed = mul(hidden, 1);
    return { blocks: [{ normed }], features: of(normed) };
  };
  const tower = { modality: 'image', layers: 2, width, heads: 1, features: 2, prefixTokens: 0, pooling: 'attention' } as const;
  const toyTower = { ...tower, suffix: (_layer: number, h: Value) => of(h), trace, suffixFeeds: () => ({}) } as unknown as Tower;
  const runtime = nodeRuntime({ threads: 1 });
  const graphs = new GraphCache();
  const seen = { points: 0, chunks: 0 };
  const all = Array.from({ length: pairs }, (_, p) => p);
  const size = tokens * width;
  return {
    seen,
    job: {
      modality: 'image',
      tower: toyTower,
      inputs: {},
      layer: 0,
      hidden,
      features: floats([pairs, 2], new Float32Array(pairs * 2)),
      target: linearTarget(
        all.map(() => Float32Array.of(1, 0)),
        { kind: 'caption', description: 'the first feature' },
      ),
      scores: all.map(p => score(form(weights, hidden.data.subarray(p * size, (p + 1) * size)))),
      tokens,
      lengths: all.map(() => tokens),
      players: all.map(() => Array.from({ length: tokens }, (_, n) => n)),
    },
    run: {
      model: { runtime },
      maxMemory,
      keep: graphs.keep,
      advance(units = 1) {
        seen.points += units;
        seen.chunks++;
      },
      passes() {},
      async release() {
        await graphs.release();
        await runtime.release();
      },
    },
  };
}
