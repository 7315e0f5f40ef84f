/**
 * @file The Gaussian bottleneck of Vittle (arXiv 2505.13946, section 3) on the output of a decoder block: per-modality encoders give each
 * token a posterior N(μ, σ²), a sample of which (its mean when answering) is mixed into the residual stream: (1 − α) h + α z. Beside the
 * published form: one that begins by passing h on (`bottleneck_init: pass`), and the controls of `control`.
 */
import {
  add,
  cast,
  clipStraightThrough,
  div,
  equal,
  exp,
  gelu,
  input,
  less,
  max,
  mul,
  scalar,
  scope,
  slice,
  sub,
  sum,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.ts';
import { MODALITY } from '../../models/llava/placement.ts';
import { project } from '../../nn/attention.ts';
import { initialNormals } from '../../nn/initial.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { sampleNormal } from '../normal.ts';
import {
  type BottleneckConfig,
  type BottleneckModality,
  modalitiesAt,
  noiseVariance,
  PROJECTOR,
  START_VARIANCE,
  streamScale,
} from './config.ts';
import type { Gaussian } from './kl.ts';

/** Spread of fresh weights: initializer_range of Llama, with which the released code draws them. */
const INITIAL_SPREAD = 0.02;

/** What a bottleneck knows of its tokens. */
export interface BottleneckInputs {
  /** int32 [B, T]: MODALITY, which decides whose encoder a token takes */
  readonly modality: Value;
  /** Standard normal [B, T, d]: training. None: the posterior's mean, when answering. */
  readonly noise?: Value;
  /** Share of the posterior in what goes on: a float scalar of the graph, or a number. At 0 the hidden state goes on as it is. */
  readonly alpha: Value | number;
  /** int32 [B, T]; needed for `index_split` only */
  readonly positions?: Value;
  /** N, tokens of an image; needed for `index_split` only */
  readonly tokensPerImage?: number;
}

/** What a bottleneck did. */
export interface BottleneckState extends Gaussian {
  /** [B, T, d]: what goes on */
  readonly hidden: Value;
  /** [B, T, d], of the encoder that the token takes, in units of `streamScale` */
  readonly mean: Value;
  /** [B, T, d], within ± the limit; of the control `noise` the fixed one, which broadcasts */
  readonly logVariance: Value;
  /** Learnable priors, of the token's modality; broadcasts to [B, T, d]. None: N(0, I). */
  readonly prior?: Gaussian;
  /** bool [B, T]: the token takes the visual encoder */
  readonly visual: Value;
  readonly layer: number;
}

/**
 * Which tokens take the visual encoder, bool [B, T]. With `index_split` it is the released code's mistake: it takes "the first N − 1
 * positions" of a sequence with an image for the image (its count of the text includes the placeholder), wherever the image stands; the
 * batch as a whole in training, each conversation by itself when answering (the released code answers one at a time).
 */
function visualTokens(config: BottleneckConfig, layer: number, inputs: BottleneckInputs): Value {
  const image = equal(inputs.modality, MODALITY.image);
  if (!config.index_split || layer === PROJECTOR) return image;
  const { positions, tokensPerImage, noise } = inputs;
  if (!positions || !tokensPerImage) throw new TypeError('index_split needs positions and tokensPerImage.');
  const count = sum(cast(image, 'float32'), 1, true);
  const split = sub(count, div(count, tokensPerImage));
  return less(cast(positions, 'float32'), noise ? max(split) : split);
}

/** The limit keeps the value; the gradient passes as if there were none (the released code clamps `.data`). */
const limited = (logVariance: Value, { log_variance_limit: limit }: BottleneckConfig): Value =>
  clipStraightThrough(logVariance, -limit, limit);

/** A modality's posterior before the limit, [B, T, 2d]: Linear – GELU – Linear. */
function encoded(p: Parameters, layer: number, modality: BottleneckModality, hidden: Value): Value {
  const name = `bottleneck.${layer}.${modality}`;
  const width = hidden.shape[2] as number;
  const encoder = p.in(name);
  return scope(name, () => project(encoder, 'fc2', gelu(project(encoder, 'fc1', hidden, width)), 2 * width));
}

/**
 * Published: (μ, ℓ) = f(h), h′ = (1 − α) h + α z, z = μ + e^{ℓ/2} ε. With `pass`: (f₁, f₂) = f(h/s), μ = h/s + f₁, ℓ = f₂,
 * h′ = (1 − α) h + α s z, s the rms of the stream: the posterior is in units of the prior, and h goes on while f₁ = 0. The control
 * `deterministic` takes z = μ always; `noise` has no encoder: h′ = h + α s σ ε with a fixed σ, h itself when answering.
 * @param p the model's parameters: tensors `bottleneck.{layer}.{visual|text}.{fc1,fc2}.{weight,bias}`, and with learnable priors
 *   `bottleneck.{layer}.{visual|text}.prior.{mean,log_variance}`
 * @param layer which of `bottleneck_layers` this is
 * @param hidden [B, T, d]
 */
export function gaussianBottleneck(
  p: Parameters,
  config: BottleneckConfig,
  layer: number,
  hidden: Value,
  inputs: BottleneckInputs,
): BottleneckState {
  const { alpha, noise } = inputs;
  const width = hidden.shape[2] as number;
  const visual = visualTokens(config, layer, inputs);
  const isVisual = unsqueeze(visual, -1);
  const modalities = modalitiesAt(config, layer);
  const byModality = (of: (modality: BottleneckModality) => Value): Value =>
    modalities.length > 1 ? where(isVisual, of('visual'), of('text')) : of(modalities[0]);
  const scale = config.bottleneck_init === 'pass' ? byModality(modality => scalar(streamScale(config, layer, modality))) : undefined;
  const among = (passed: Value): Value =>
    modalities.length > 1 ? passed : modalities[0] === 'visual' ? where(isVisual, passed, hidden) : where(isVisual, hidden, passed);
  const inUnits = scale ? div(hidden, scale) : hidden;
  if (config.control === 'noise') {
    const logVariance = byModality(modality => scalar(Math.log(noiseVariance(config, modality))));
    const deviation = mul(exp(mul(logVariance, 0.5)), scale ?? 1);
    return { hidden: noise ? among(add(hidden, mul(mul(noise, deviation), alpha))) : hidden, mean: inUnits, logVariance, visual, layer };
  }
  const both = byModality(modality => encoded(p, layer, modality, inUnits));
  const change = slice(both, 2, 0, width);
  const mean = scale ? add(inUnits, change) : change;
  const logVariance = limited(slice(both, 2, width), config);
  const ofPrior = (name: string): Value => byModality(modality => p.get(`bottleneck.${layer}.${modality}.prior.${name}`, [width]));
  const learnt = config.prior === 'learnable' && config.control === undefined;
  const prior = learnt ? { mean: ofPrior('mean'), logVariance: limited(ofPrior('log_variance'), config) } : undefined;
  const sample = noise && config.control !== 'deterministic' ? sampleNormal(mean, exp(mul(logVariance, 0.5)), noise) : mean;
  return { hidden: among(mixed(hidden, scale ? mul(sample, scale) : sample, alpha)), mean, logVariance, prior, visual, layer };
}

/** (1 − α) h + α z; h itself where α is known to be 0 (where it is fed, 1·h + 0·z is h for every finite z, but for the sign of a zero). */
const mixed = (hidden: Value, sample: Value, alpha: Value | number): Value =>
  alpha === 0 ? hidden : add(mul(hidden, sub(1, alpha)), mul(sample, alpha));

/** Every tensor of a bottleneck by name, found by tracing it. @param width d of the decoder */
export function bottleneckTensors(config: BottleneckConfig, width: number): ReadonlyMap<string, Value> {
  const p = trainableParameters();
  const ints = (name: string): Value => input(name, ['batch', 'seq'], 'int32');
  const hidden = input('hidden', ['batch', 'seq', width]);
  for (const layer of config.bottleneck_layers)
    gaussianBottleneck(p, config, layer, hidden, { modality: ints('modality'), positions: ints('positions'), tokensPerImage: 1, alpha: 1 });
  return p.all;
}

/**
 * Fresh weights: N(0, 0.02²), biases 0, priors N(0, I). Every tensor has its own stream of the seed. With `pass` fc2 begins with weights 0
 * and the bias (0, ln 0.1): f₁ = 0 and σ² = 0.1, so that z is h/s under little noise, whatever the width.
 */
export function initialBottleneck(config: BottleneckConfig, width: number, seed: number): Parameter[] {
  const passes = config.bottleneck_init === 'pass';
  const logVariance = Math.max(Math.log(START_VARIANCE), -config.log_variance_limit);
  return [...bottleneckTensors(config, width)].map(([name, value]) => {
    const shape = value.shape as readonly number[];
    const count = sizeOf(shape);
    const drawn = shape.length === 2 && !(passes && name.endsWith('.fc2.weight'));
    const data = drawn ? initialNormals(name, count, INITIAL_SPREAD, seed) : new Float32Array(count);
    if (passes && name.endsWith('.fc2.bias')) data.fill(logVariance, width);
    return { name, shape, data };
  });
}
