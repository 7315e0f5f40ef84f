/** @file The bottleneck as a training graph takes it: a tap of the decoder, the terms of the loss, and the noise of a step. */
import { input, mul, type Value } from '../../graph/index.ts';
import type { LlavaTap } from '../../models/llava/forward.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { BottleneckConfig } from './config.ts';
import { type BottleneckState, gaussianBottleneck } from './module.ts';
import { type BottleneckPenalty, bottleneckPenalty, meanPenalty, type PayingTokens } from './penalty.ts';

/** Name of the graph input that holds α, a scalar. */
export const ALPHA_INPUT = 'bottleneck_alpha';
/** Name of the graph input that holds what the βs are multiplied by (`betaShareAt`), a scalar; only with a schedule of β. */
export const BETA_INPUT = 'bottleneck_beta';
/** Name of the graph input that holds a layer's noise, [batch, seq, width]. */
export const noiseInput = (layer: number): string => `bottleneck_noise.${layer}`;

/** A bottleneck within a training graph. */
export interface TrainingBottleneck {
  readonly tap: LlavaTap;
  /** Blocks whose output goes through it; −1 stands for the embeddings. */
  readonly layers: readonly number[];
  /** One state per layer, in the order in which they were traced. */
  readonly states: readonly BottleneckState[];
  /**
   * After the forward pass was traced: β_v KL_v and β_t KL_t (what of them is charged, see `BottleneckPenalty`), and scalars to log: KL in nats
   * per dimension, share of dimensions in use, posterior variances, and what β weighs where that is another figure. Several layers count by
   * their mean. The controls have neither.
   */
  terms(tokens: Pick<PayingTokens, 'modality' | 'turns'>, labels: Value): { loss: Value[]; scalars: Record<string, Value> };
}

/**
 * Declares the inputs `bottleneck_alpha`, `bottleneck_noise.{layer}` (not with the control `deterministic`) and, with a schedule of β,
 * `bottleneck_beta`.
 * @param p where the tensors come from (see `gaussianBottleneck`)
 * @param tokensPerImage N, see `imageTokens`
 */
export function trainingBottleneck(p: Parameters, config: BottleneckConfig, tokensPerImage: number): TrainingBottleneck {
  const alpha = input(ALPHA_INPUT, []);
  const states: BottleneckState[] = [];
  const tap: LlavaTap = (layer, hidden, tokens) => {
    if (!config.bottleneck_layers.includes(layer)) return hidden;
    const noise = config.control === 'deterministic' ? undefined : input(noiseInput(layer), hidden.shape);
    const { modality, positions } = tokens;
    const state = gaussianBottleneck(p, config, layer, hidden, { modality, positions, tokensPerImage, noise, alpha });
    states.push(state);
    return state.hidden;
  };
  return {
    tap,
    layers: config.bottleneck_layers,
    states,
    terms(tokens, labels) {
      if (config.control) return { loss: [], scalars: {} };
      const penalties = states.map(state => bottleneckPenalty(config, state, { modality: tokens.modality, turns: tokens.turns, labels }));
      const of = (name: Exclude<keyof BottleneckPenalty, 'perToken'>): Value => meanPenalty(penalties, name);
      const [visual, text] = [of('visualCharge'), of('textCharge')];
      const terms = [mul(visual, config.beta_visual), mul(text, config.beta_text)];
      const share = config.beta_schedule === 'after_alpha' ? input(BETA_INPUT, []) : undefined;
      const asPublished = (config.kl_charge ?? 'dimension') === 'dimension' && !config.free_nats;
      return {
        loss: share ? terms.map(term => mul(term, share)) : terms,
        scalars: {
          kl_visual: of('visual'),
          kl_text: of('text'),
          used_visual: of('visualUsed'),
          used_text: of('textUsed'),
          variance_visual: of('visualVariance'),
          variance_text: of('textVariance'),
          ...(asPublished ? {} : { charge_visual: visual, charge_text: text }),
        },
      };
    },
  };
}

/**
 * Noise of a training step, by graph input (none with the control `deterministic`). A sample's numbers depend on (seed, layer, step, its number) only: neither on its place in
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
  if (config.control === 'deterministic') return {};
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
