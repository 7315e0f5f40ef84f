/** @file Dropout on the hidden states behind some blocks, while training: a control for methods that add noise there. */
import { input, keepMask, mul } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { hashName, RandomStream } from '../../tensor/random.ts';
import { ints } from '../../tensor/tensor.ts';
import type { TrainTap } from './graph.ts';

/** Where, and how much. */
export interface StreamDropout {
  /** Blocks of the decoder, from 0, behind which it acts. */
  readonly layers: readonly number[];
  /** Probability that an entry becomes 0; the others are multiplied by 1/(1 − rate). */
  readonly rate: number;
}

/** Graph input, int32 scalar: another number each micro-step. */
const SEED_INPUT = 'stream_dropout_seed';

/** The tap of a training graph; answers are given without it. It adds nothing to the loss. */
export function streamDropout({ layers, rate }: StreamDropout): TrainTap {
  const seed = input(SEED_INPUT, [], 'int32');
  return {
    layers,
    tap: (layer, hidden) => (layers.includes(layer) ? mul(hidden, keepMask(hidden, seed, rate, hashName(`stream.${layer}`))) : hidden),
    terms: () => ({ loss: [], scalars: {} }),
  };
}

/** What such a graph is fed at a micro-step: a function of (seed, step). */
export const streamDropoutFeeds = (seed: number, step: number): Feeds => ({
  [SEED_INPUT]: ints([], [new RandomStream(seed, 'stream.dropout').reader(step, 0).integer(2 ** 31)]),
});

/**
 * The rate of equal strength with noise of variance α²σ² times the stream's own mean square: an entry's variance under dropout is
 * h² p/(1 − p), so p = α²σ²/(1 + α²σ²).
 */
export function dropoutRateOf(alpha: number, variance: number): number {
  const ratio = alpha * alpha * variance;
  return ratio / (1 + ratio);
}
