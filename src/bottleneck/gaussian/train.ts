/** @file The bottleneck as a training graph takes it: a tap of the decoder, the terms of the loss, and the noise of a step. */
import { input, mul, type Value } from '../../graph/index.ts';
import type { LlavaTap } from '../../models/llava/forward.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { BottleneckConfig } from './config.ts';
import { type BottleneckState, gaussianBottleneck } from './module.ts';
import { bottleneckPenalty, meanPenalty, type PayingTokens } from './penalty.ts';

/** Name of the graph input that holds α, a scalar. */
export const ALPHA_INPUT = 'bottleneck_alpha';
/** Name of the graph input that holds a layer's noise, [batch, seq, width]. */
export const noiseInput = (layer: number): string => `bottleneck_noise.${layer}`;

/** A bottleneck within a training graph. */
export interface TrainingBottleneck {
  readonly tap: LlavaTap;
  /** One state per layer, in the order in which they were traced. */
  readonly states: readonly BottleneckState[];
  /**
   * After the forward pass was traced: β_v KL_v and β_t KL_t, and scalars to log (KL in nats per dimension, posterior variances).
   * Several layers count by their mean.
   */
  terms(tokens: Pick<PayingTokens, 'modality' | 'turns'>, labels: Value): { loss: Value[]; scalars: Record<string, Value> };
}

/**
 * Declares the inputs `bottleneck_alpha` and `bottleneck_noise.{layer}`.
 * @param p where the tensors come from (see `gaussianBottleneck`)
 * @param tokensPerImage N, see `imageTokens`
 */
export function trainingBottleneck(p: Parameters, config: BottleneckConfig, tokensPerImage: number): TrainingBottleneck {
  const alpha = input(ALPHA_INPUT, []);
  const states: BottleneckState[] = [];
  const tap: LlavaTap = (layer, hidden, tokens) => {
    if (!config.bottleneck_layers.includes(layer)) return hidden;
    const noise = input(noiseInput(layer), hidden.shape);
    const { modality, positions } = tokens;
    const state = gaussianBottleneck(p, config, layer, hidden, { modality, positions, tokensPerImage, noise, alpha });
    states.push(state);
    return state.hidden;
  };
  return {
    tap,
    states,
    terms(tokens, labels) {
      const penalties = states.map(state => bottleneckPenalty(config, state, { modality: tokens.modality, turns: tokens.turns, labels }));
      const [visual, text] = [meanPenalty(penalties, 'visual'), meanPenalty(penalties, 'text')];
      return {
        loss: [mul(visual, config.beta_visual), mul(text, config.beta_text)],
        scalars: {
          kl_visual: visual,
          kl_text: text,
          variance_visual: meanPenalty(penalties, 'visualVariance'),
          variance_text: meanPenalty(penalties, 'textVariance'),
        },
      };
    },
  };
}

/**
 * Noise of a training step, by graph input. A sample's numbers depend on (seed, layer, step, its number) only: neither on its place in
 * the batch nor on the padding behind it.
 * @param samples a number per row of the batch
 * @param length T of the batch
 */
export function bottleneckNoise(
  config: BottleneckConfig,
  shape: { readonly samples: readonly number[]; readonly length: number; readonly width: number },
  seed: number,
  step: number,
): Record<string, FloatTensor> {
  const { samples, length, width } = shape;
  return Object.fromEntries(
    config.bottleneck_layers.map(layer => {
      const stream = new RandomStream(seed, `bottleneck.${layer}`);
      const data = new Float32Array(samples.length * length * width);
      for (const [b, sample] of samples.entries())
        stream.normals(step, sample, data.subarray(b * length * width, (b + 1) * length * width));
      return [noiseInput(layer), floats([samples.length, length, width], data)];
    }),
  );
}
