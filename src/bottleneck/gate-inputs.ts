/** @file What the graph of a gate is fed at a step. */

import type { Feeds } from '../runtime/runtime.ts';
import { RandomStream } from '../tensor/random.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import type { GateProblem } from './gate-problem.ts';
import type { ChannelStatistics } from './statistics.ts';

/** The inputs of a step besides α. The arrays are filled anew by the next call. */
export interface GateInputs {
  at(step: number): Feeds;
  /** The weight of pair p's compression now. */
  beta(p: number): number;
  /** Takes over the weights that `GateProblem.weights` says, once they changed. */
  reweigh(): void;
}

/** Hidden states, target, statistics and weights stay; the noise of every place is drawn for each step. */
export function gateInputs(problem: GateProblem): GateInputs {
  const { hidden, tower, options, weights, upper = [] } = problem;
  const [pairs, count, width] = hidden.shape;
  const beta = (p: number): number => weights?.compression(p) ?? options.beta;
  // The sum over elements times this is β times their mean: padding counts nothing.
  const weight = new Float32Array(pairs * count);
  const reweigh = (): void => {
    for (let p = 0; p < pairs; p++) {
      const length = problem.lengths?.[p] ?? count;
      const players = problem.players?.[p];
      if (!players) weight.fill(beta(p) / (length * width), p * count, p * count + length);
      else for (const n of players) weight[p * count + n] = beta(p) / (players.length * width);
    }
  };
  reweigh();
  const stack = (statistics: readonly ChannelStatistics[] | undefined, pick: (s: ChannelStatistics) => Float32Array): FloatTensor => {
    const size = statistics?.[0].mean.length ?? width;
    const out = new Float32Array(pairs * size);
    statistics?.forEach((s, p) => {
      out.set(pick(s), p * size);
    });
    return floats([pairs, size / width, width], out);
  };
  const place = (suffix: string, statistics: readonly ChannelStatistics[] | undefined): Feeds => ({
    [`mean${suffix}`]: stack(statistics, s => s.mean),
    [`deviation${suffix}`]: stack(statistics, s => s.deviation),
  });
  const fits = Float32Array.from({ length: pairs }, (_, p) => weights?.fit(p) ?? 1);
  const fixed: Feeds = {
    ...tower.suffixFeeds(problem.inputs),
    ...(problem.score ? problem.score.feeds : { target: problem.target! }),
    ...{ hidden, weight: floats([pairs, count, 1], weight), fit_weight: floats([pairs], fits) },
    ...place('', problem.statistics),
    ...Object.assign({}, ...upper.map((u, i) => ({ [`hidden.${i}`]: u.hidden, ...place(`.${i}`, u.statistics) }))),
  };
  const draw = problem.noise ?? noiseSource(problem, `m2ib.${tower.modality}`);
  const drawUpper = upper.map(({ layer }) => noiseSource(problem, `gate.${tower.modality}.${layer}`));
  return {
    at: step => ({ ...fixed, noise: draw(step), ...Object.fromEntries(drawUpper.map((source, i) => [`noise.${i}`, source(step)])) }),
    beta,
    reweigh,
  };
}

/** Noise [S, N, D] of a step, [1, N, D] of zeros of a quiet one: sample s comes from (seed, stream, step, s) only, so it is the same in any batch. */
function noiseSource(problem: GateProblem, stream: string): (step: number) => FloatTensor {
  const { options, seed } = problem;
  const [, count, width] = problem.hidden.shape;
  const random = new RandomStream(seed, stream);
  const size = count * width;
  const buffer = new Float32Array(options.batchSize * size);
  const none = floats([1, count, width], new Float32Array(size));
  return step => {
    if (step < (options.quietSteps ?? 0)) return none;
    for (let s = 0; s < options.batchSize; s++) {
      const sample = buffer.subarray(s * size, (s + 1) * size);
      if (!options.antithetic || s % 2 === 0) random.normals(step, s, sample);
      else {
        const twin = buffer.subarray((s - 1) * size, s * size);
        for (let i = 0; i < size; i++) sample[i] = -twin[i];
      }
    }
    return floats([options.batchSize, count, width], buffer);
  };
}
