/** @file Trains a CLUB estimator: Adam on the likelihood of pairs (z, y). */
import { compile, grad, neg } from '../../graph/index.ts';
import { input } from '../../graph/ops/constants.ts';
import { AdamW } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Rows } from '../distances/rows.ts';
import { clubHeads, clubLikelihood } from './club.ts';
import { type ClubEstimator, clubInputs } from './club-estimator.ts';
import { matrix } from './vectors.ts';

/** How an estimator is trained. Published are seed 1 and batches of 2048; rate and length are not. */
export interface ClubTraining {
  /** Default 300. */
  readonly steps?: number;
  /** Of Adam; default 0.001. */
  readonly learningRate?: number;
  /** Pairs of a step, drawn with replacement by `seed`; all pairs where there are no more than these. Default 2048. */
  readonly batchSize?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Before each step: its number from 0 and the loss, the negative of `clubLikelihood`, and its gradients (live arrays). */
  readonly onStep?: (step: number, loss: number, gradients: ReadonlyMap<string, Float32Array>) => void;
}

/**
 * Trains `estimator` in place on pairs. @returns the loss on its last batch before the last step; NaN for no steps
 * @throws NarrowsError for rows that do not fit the estimator or each other, a loss that is not finite; the signal's reason when it aborts
 */
export async function trainClub(
  runtime: Runtime,
  estimator: ClubEstimator,
  z: Rows,
  y: Rows,
  training: ClubTraining = {},
): Promise<number> {
  const { steps = 300, learningRate = 1e-3, batchSize = 2048, seed = 0, signal, onStep } = training;
  const { sizes, parameters } = estimator;
  if (z.length !== y.length)
    throw new NarrowsError(`An estimator learns from pairs, but there are ${z.length} rows of z and ${y.length} of y.`);
  const all = { z: matrix(z, 'z', 'float32'), y: matrix(y, 'y', 'float32') };
  if (all.z.shape[1] !== sizes.input || all.y.shape[1] !== sizes.output)
    throw new NarrowsError(
      `The estimator takes widths ${sizes.input} and ${sizes.output}, but the pairs have ${all.z.shape[1]} and ${all.y.shape[1]}.`,
    );
  const scope = clubInputs('float32');
  const heads = clubHeads(scope, input('z', ['n', sizes.input]), sizes);
  const loss = neg(clubLikelihood(heads, input('y', ['n', sizes.output])));
  const names = parameters.map(p => p.name);
  const slopes = grad(
    loss,
    names.map(name => scope.all.get(name)!),
  );
  await using graph = await compile(runtime, { loss, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, slopes[i]])) });
  const optimizer = new AdamW(parameters, { weightDecay: 0 });
  const random = new RandomStream(seed, 'club.batches');
  let last = Number.NaN;
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const feeds: Record<string, Tensor> = { ...(z.length > batchSize ? batchOf(all, random, step, batchSize) : all) };
    for (const { name, shape, data } of parameters) feeds[name] = { dtype: 'float32', shape, data };
    const out = await graph.run(feeds);
    last = out.loss.data[0] as number;
    if (!Number.isFinite(last)) throw new NarrowsError(`The estimator's loss is ${last} at step ${step + 1}; lower the learning rate.`);
    const gradients = new Map(names.map(name => [name, out[`grad.${name}`].data as Float32Array]));
    onStep?.(step, last, gradients);
    optimizer.step(gradients, learningRate);
  }
  return last;
}

/** Rows of both tensors, the same ones, drawn with replacement. */
function batchOf<T extends Record<string, Tensor>>(all: T, random: RandomStream, step: number, size: number): T {
  const words = random.words(step, 0, new Uint32Array(size));
  const pick = ({ dtype, shape: [n, width], data }: Tensor): Tensor => {
    const out = new Float32Array(size * width);
    words.forEach((word, i) => {
      const row = Math.floor(word * 2 ** -32 * n);
      out.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width);
    });
    return { dtype, shape: [size, width], data: out };
  };
  return Object.fromEntries(Object.entries(all).map(([name, tensor]) => [name, pick(tensor)])) as T;
}
