/** @file The settings of a Gaussian bottleneck (Vittle, arXiv 2505.13946), as they stand in config.json under `bottleneck_config`. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

/** The layer that stands for "after the projector": the bottleneck acts on image features only (AdaVIB, arXiv 2502.20750). */
export const PROJECTOR = -1;

const share = z.number().min(0).max(1);
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
  return config;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `bottleneck_config has the key "${issue.keys[0]}", which nobody knows; known are ${Object.keys(bottleneckSchema.shape).join(', ')}.`;
  const key = issue.path.join('.');
  return key ? `the key "bottleneck_config.${key}" is wrong (${issue.message}).` : `bottleneck_config is wrong (${issue.message}).`;
}
