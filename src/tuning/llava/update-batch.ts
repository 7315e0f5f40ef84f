/**
 * @file The batch of a micro-step, for data of every kind: its tokens, and whatever follows from its place in an update. Files and scenes
 * bring the tokens (`UpdateSource`); what the loss is divided by, noise, alpha and dropout are made here.
 */
import { alphaAt, betaShareAt } from '../../bottleneck/gaussian/alpha.ts';
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { ALPHA_INPUT, BETA_INPUT, bottleneckNoise } from '../../bottleneck/gaussian/train.ts';
import type { LoraConfig } from '../../checkpoints/peft-layers.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { dropoutFeeds } from './lora-dropout.ts';

/** Where the samples of an update come from. Both functions depend on their arguments only, or a resumed run would be another. */
export interface UpdateSource {
  /** Supervised tokens of each micro-batch of an update, in order. */
  supervised(update: number): readonly number[] | Promise<readonly number[]>;
  /** A micro-batch's rows: tokens, `labels` [rows, T], and `pixel_values` where there are images. */
  rows(update: number, micro: number): Feeds | Promise<Feeds>;
}

/** How updates are cut and what of them is drawn. Can be posted to a worker. */
export interface UpdateSettings {
  readonly seed: number;
  /** Samples of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches of an update. */
  readonly accumulation: number;
  /** Updates of the run, over which alpha's schedule goes. */
  readonly maxSteps: number;
  /** Width of the decoder. */
  readonly width: number;
  readonly bottleneck?: BottleneckConfig;
  readonly lora?: LoraConfig;
}

/** The update that a micro-step belongs to, and its place there. */
export const placeInUpdate = (step: number, accumulation: number): { update: number; micro: number } => ({
  update: Math.floor(step / accumulation),
  micro: step % accumulation,
});

/**
 * What the summed loss of each micro-batch is divided by: the supervised tokens of the whole update over its micro-batches. The mean over
 * micro-batches, which the trainer takes, is then the mean over all supervised tokens. An update that teaches nothing is divided by 1.
 * @param supervised tokens per micro-batch of one update; one number for a batch by itself @returns a scalar
 */
export function lossDivisor(supervised: readonly number[]): FloatTensor {
  const all = supervised.reduce((sum, count) => sum + count, 0);
  return floats([], [all > 0 ? all / supervised.length : 1]);
}

/**
 * The batch of a micro-step, without weights: the source's rows, `loss_divisor`, and noise, alpha and dropout's seed where the method has
 * them. A sample's noise is that of (seed, layer, update, its number in the update): it does not depend on how the update is cut.
 * @param step micro-steps since the start of the run
 */
export async function updateBatch(source: UpdateSource, settings: UpdateSettings, step: number): Promise<Feeds> {
  const { seed, batchSize, accumulation, maxSteps, width, bottleneck, lora } = settings;
  const { update, micro } = placeInUpdate(step, accumulation);
  const supervised = await source.supervised(update);
  const rows = await source.rows(update, micro);
  const [count, length] = rows.labels.shape;
  const samples = Array.from({ length: count }, (_, b) => micro * batchSize + b);
  return {
    ...rows,
    loss_divisor: lossDivisor(supervised),
    ...dropoutFeeds(lora, seed, step),
    ...(bottleneck && {
      ...bottleneckNoise(bottleneck, { samples, length, width }, seed, update),
      [ALPHA_INPUT]: floats([], [alphaAt(bottleneck, update, maxSteps)]),
      ...(bottleneck.beta_schedule === 'after_alpha' && { [BETA_INPUT]: floats([], [betaShareAt(bottleneck, update, maxSteps)]) }),
    }),
  };
}
