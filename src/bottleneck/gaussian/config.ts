/** @file The settings of a Gaussian bottleneck (Vittle, arXiv 2505.13946), as they stand in config.json under `bottleneck_config`. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

/** The layer that stands for "after the projector": the bottleneck acts on image features only (AdaVIB, arXiv 2502.20750). */
export const PROJECTOR = -1;

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const modality = z.enum(['visual', 'text']);

/** Schema of `bottleneck_config`; keys that nobody knows are refused, so that a misspelt one cannot be ignored. */
export const bottleneckSchema = z.strictObject({
  bottleneck_layers: z
    .array(z.number().int().min(PROJECTOR))
    .min(1)
    .describe('decoder blocks, counted from 0, on whose output it acts; -1 = after the projector'),
  modalities: z.array(modality).min(1).default(['visual', 'text']).describe('whose tokens pass it; the others go on unchanged'),
  prior: z.enum(['fixed', 'learnable']).default('fixed').describe('N(0, I), or mean and variance learnt per modality'),
  beta_visual: z.number().min(0).default(0.1).describe("weight of the image tokens' KL"),
  beta_text: z.number().min(0).default(0.1).describe("weight of the prompt tokens' KL"),
  alpha_schedule: z.enum(['sigmoid', 'cosine', 'constant']).default('sigmoid').describe('how alpha rises over the training'),
  alpha_start: share.default(0).describe('alpha at the beginning'),
  alpha_end: share.default(0.5).describe('alpha at the end'),
  alpha_inference: share.optional().describe('alpha when answering; alpha_end by default'),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the released code's number
  log_variance_limit: z.number().positive().default(2.3025).describe('log-variances are kept within ± this'),
  half_log_kl: z.boolean().default(false).describe('charge the released code’s KL, whose log term is halved'),
  index_split: z.boolean().default(false).describe('the released code’s split of visual and text tokens by position'),
  // Beside the published form; absent keys are that form, so that config.json of a published run stays as it was.
  bottleneck_init: z
    .enum(['published', 'pass'])
    .optional()
    .describe('published: (μ, ln σ²) = f(h), from noise on; pass: μ = h/s + f(h/s), which begins as h, and s z goes on'),
  stream_scale: z
    .array(z.strictObject({ visual: positive, text: positive }))
    .optional()
    .describe('pass: s per layer and modality, the rms of the hidden states at the start'),
  control: z
    .enum(['noise', 'deterministic'])
    .optional()
    .describe('noise: only noise on h, no encoder, no KL; deterministic: only the encoder, no noise, no KL'),
  noise_variance_visual: positive.optional().describe('control noise: σ² for image tokens; 0.1 by default'),
  noise_variance_text: positive.optional().describe('control noise: σ² for all other tokens; 0.1 by default'),
  beta_schedule: z
    .enum(['constant', 'after_alpha'])
    .optional()
    .describe('after_alpha: alpha rises in the first third of the training, beta in the second'),
  kl_charge: z
    .enum(['dimension', 'token'])
    .optional()
    .describe('beta times the mean over tokens of: the mean over dimensions (as published), or their sum'),
  free_nats: z.number().min(0).optional().describe('nats per dimension or per token (by kl_charge) that are not charged'),
});

/** Settings of a Gaussian bottleneck; keys as stored. */
export type BottleneckConfig = Readonly<z.infer<typeof bottleneckSchema>>;
/** Whose encoder: image tokens take the visual one, all others the text one. */
export type BottleneckModality = z.infer<typeof modality>;

/** α at inference, where the posterior's mean takes the place of a sample. */
export const inferenceAlpha = (config: BottleneckConfig): number => config.alpha_inference ?? config.alpha_end;

/** Whose tokens pass the bottleneck at a layer: after the projector there are only image features. */
export const modalitiesAt = (config: BottleneckConfig, layer: number): readonly BottleneckModality[] =>
  layer === PROJECTOR ? ['visual'] : config.modalities;

/** σ² that an encoder of `pass` begins with, and that of the control `noise` where none is given: the least that the limit allows. */
export const START_VARIANCE = 0.1;

/** Fixed σ² of the control `noise`. */
export const noiseVariance = (config: BottleneckConfig, modality: BottleneckModality): number =>
  (modality === 'visual' ? config.noise_variance_visual : config.noise_variance_text) ?? START_VARIANCE;

/** s, in which the bottleneck sees a layer's hidden states: 1 in the published form. @throws TypeError where it was not measured yet */
export function streamScale(config: BottleneckConfig, layer: number, modality: BottleneckModality): number {
  if (config.bottleneck_init !== 'pass') return 1;
  const scale = config.stream_scale?.[config.bottleneck_layers.indexOf(layer)];
  if (!scale) throw new TypeError(`The stream's scale at layer ${layer} is not known: withStreamScale measures it.`);
  return scale[modality];
}

/**
 * @param source what the settings were read from, for messages
 * @param layers how many decoder blocks the model has
 * @throws NarrowsError in one sentence for a wrong, unknown or missing key, a layer named twice or outside of the decoder
 */
export function parseBottleneckConfig(json: unknown, source: string, layers?: number): BottleneckConfig {
  const result = bottleneckSchema.safeParse(json);
  if (!result.success) throw new NarrowsError(`${source}: ${sentence(result.error.issues[0])}`);
  const config = result.data;
  const named = config.bottleneck_layers;
  const outside = layers === undefined ? undefined : named.find(layer => layer >= layers);
  if (outside !== undefined)
    throw new NarrowsError(
      `${source}: bottleneck_layers names block ${outside}, but the decoder has ${layers} (0 to ${layers! - 1}, or -1 for after the projector).`,
    );
  const twice = named.find((layer, i) => named.indexOf(layer) !== i);
  if (twice !== undefined) throw new NarrowsError(`${source}: bottleneck_layers names block ${twice} twice.`);
  if (named.includes(PROJECTOR) && !config.modalities.includes('visual'))
    throw new NarrowsError(`${source}: a bottleneck after the projector (layer -1) needs "visual" among its modalities.`);
  if (config.bottleneck_init === 'pass' && config.stream_scale?.length !== named.length)
    throw new NarrowsError(
      `${source}: the bottleneck_init "pass" needs stream_scale with ${named.length} entr${named.length > 1 ? 'ies' : 'y'}, one per layer of bottleneck_layers.`,
    );
  return config;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `bottleneck_config has the key "${issue.keys[0]}", which nobody knows; known are ${Object.keys(bottleneckSchema.shape).join(', ')}.`;
  const key = issue.path.join('.');
  return key ? `the key "bottleneck_config.${key}" is wrong (${issue.message}).` : `bottleneck_config is wrong (${issue.message}).`;
}
