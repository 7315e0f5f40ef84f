/** @file What a gate is optimised for: the pairs, the settings, what may be changed about the loss, and who watches. */
import type { Dim, Value } from '../graph/index.ts';
import type { Tower, TowerInputs } from '../models/dual-encoder.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { ChannelStatistics } from './statistics.ts';

/** Courses of the learning rate, by transformers' names: one that falls to 0 lets the gate come to rest. */
export const GATE_SCHEDULES = ['constant', 'linear', 'cosine'] as const;
/** One of them. */
export type GateSchedule = (typeof GATE_SCHEDULES)[number];

/** Settings of the optimisation. */
export interface GateOptions {
  readonly beta: number;
  readonly steps: number;
  readonly learningRate: number;
  /** Course of the rate over the steps; `constant` by default. */
  readonly learningRateSchedule?: GateSchedule;
  /** Noise samples per step. */
  readonly batchSize: number;
  /**
   * The first steps run one pass without noise (ε = 0) in place of the samples: gates are open then, and what little noise they let in hardly
   * turns the gradient. None by default.
   */
  readonly quietSteps?: number;
  /** Every second sample is the negative of the one before. */
  readonly antithetic: boolean;
  /** One gate per token instead of one per element. */
  readonly perToken: boolean;
  readonly alphaStart: number;
  /** Read the cost of the last forward pass (before the last update) and never clip α, as the official code does. */
  readonly official: boolean;
}

/** What the gate needs of a tower. */
export type GateTower = Pick<Tower, 'modality' | 'suffix' | 'suffixFeeds'>;

/** A scalar that the gate must keep. */
export interface GateScore {
  /** Features [P·S, E] to scores [P, S]; declares the inputs that `feeds` gives. */
  of(features: Value, samples: Dim): Value;
  readonly feeds: Readonly<Record<string, FloatTensor>>;
}

/** A further place where the same gate stands, above the first: CoIBA's shared gate. */
export interface UpperGate {
  readonly layer: number;
  /** The undisturbed output of that block, [P, N, D]. */
  readonly hidden: FloatTensor;
  readonly statistics?: readonly ChannelStatistics[];
}

/** Weights of the two terms that may change from step to step: AdaIB's. */
export interface GateWeights {
  /** Weight of the fit of pair p. */
  fit(p: number): number;
  /** Takes the place of beta for pair p, at this step. */
  compression(p: number): number;
  /** Called with the mean KL per pair at this step's forward pass. */
  update(kl: readonly number[]): void;
}

/** The state of an optimisation after a step, for who watches it. */
export interface GateFrame {
  /** Steps done, from 1. */
  readonly step: number;
  /** Per pair: mean cosine, and β · mean KL, of this step's forward pass. */
  readonly fit: readonly number[];
  readonly compression: readonly number[];
  /** What the map of pair p would be if the optimisation ended here. Computed when called, which costs nothing otherwise. */
  map(p: number): GateMap;
}

/** What is called on the way. None of it changes a result. */
export interface GateHooks {
  /** Checked before each step. */
  readonly signal?: AbortSignal;
  readonly onStep?: (step: number) => void;
  /** Only valid during the call. */
  readonly onFrame?: (frame: GateFrame) => void;
  /** Keep α before the first and after every step. */
  readonly trace?: boolean;
}

/** P pairs that share a tower, a layer and a token count. */
export interface GateProblem extends GateHooks {
  readonly runtime: Runtime;
  readonly tower: GateTower;
  /** The gate stands on the output of this block (0-based). */
  readonly layer: number;
  /** Output of that block, [P, N, D]. */
  readonly hidden: FloatTensor;
  /** Tower inputs, of which the suffix may need some (masks, pool positions). */
  readonly inputs: TowerInputs;
  /** The other modality's embedding, [P, E], any length: the fit is the cosine to it. */
  readonly target?: FloatTensor;
  /** A fit other than that cosine. */
  readonly score?: GateScore;
  /** Tokens of each pair that are no padding; all N by default. */
  readonly lengths?: readonly number[];
  /**
   * Tokens of each pair that are gated and charged, out of the first `lengths`; all by default. Of the others the tower itself must keep the
   * undisturbed state.
   */
  readonly players?: readonly (readonly number[])[];
  /** Per pair, [D], or [N·D] where each token has its own; none: noise N(0, 1), as the official code has it. */
  readonly statistics?: readonly ChannelStatistics[];
  readonly options: GateOptions;
  /** Row-stochastic [N, N]: λ is averaged over neighbouring tokens by it (IBA smooths with a Gaussian). */
  readonly smoothing?: FloatTensor;
  /** The same λ stands at these blocks too; the cost is the mean over all places. */
  readonly upper?: readonly UpperGate[];
  readonly weights?: GateWeights;
  /** Largest norm of a pair's gradient; larger ones are scaled down. None by default. */
  readonly maxGradientNorm?: number;
  readonly seed: number;
  /** Standard normal noise [S, N, D] of a step, quiet ones included; drawn from the seed by default. */
  readonly noise?: (step: number) => FloatTensor;
}

/** What a gate costs, for one pair. */
export interface GateMap {
  /** Nats per element, [N, D] (padding included, as zeros). */
  readonly information: Float32Array;
  /** Nats per token, [N]. */
  readonly tokens: Float32Array;
}

/** Result per pair. */
export interface GateResult extends GateMap {
  /** [N, D], or [N] with one gate per token. */
  readonly alpha: Float32Array;
  /** Mean cosine, and β · mean KL, at each step's forward pass. */
  readonly fit: number[];
  readonly compression: number[];
  readonly alphas?: Float32Array[];
}
