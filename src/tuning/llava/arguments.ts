/** @file Arguments of `narrows train projector` and `narrows train tune`: names as in Hugging Face's TrainingArguments, LLaVA, PEFT and Vittle. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import { LARGEST_BATCH, trainingArgumentsSchema } from '../arguments.ts';
import { PRESETS, presetsFor } from './presets.ts';

const count = z.number().int().positive();
const rate = z.number().nonnegative();
const path = z.string().min(1).optional();

/** What both stages have. Defaults that are not CLIP's are those of LLaVA-1.5, but for a batch that fits this machine. */
const commonSchema = trainingArgumentsSchema.extend({
  model: path.describe('LLaVA checkpoint to start from: a directory, a shipped model (default: scene-llava), or org/name of the hub'),
  preset: z
    .enum(Object.keys(PRESETS) as [string, ...string[]])
    .optional()
    .describe('A published recipe; other flags override its values'),
  data_path: path.describe("Conversations in LLaVA's JSON or as JSONL; without it: the built-in scenes"),
  image_folder: path.describe('Directory that the image paths start from; by default that of the data file'),
  validation_file: path.describe('Conversations for evaluation, in the same format'),
  skip_missing: z.boolean().default(false).describe('Leave out samples whose image is missing, with a warning, instead of stopping'),
  num_train_epochs: z.number().positive().default(1).describe('Times that every sample is seen; fractions too'),
  max_steps: z.number().int().nonnegative().default(0).describe('Updates in total; 0: from num_train_epochs'),
  per_device_train_batch_size: count.max(LARGEST_BATCH).default(8).describe('Conversations per micro-batch'),
  learning_rate: rate.default(2e-5).describe('Learning rate after the warm-up'),
  mm_projector_lr: rate.optional().describe('Learning rate of the projector, if it differs'),
  warmup_steps: rate.default(0.03).describe('Updates of linear warm-up; below 1: share of max_steps'),
  weight_decay: rate.default(0).describe('Decoupled weight decay of tensors with two or more axes'),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of AdamW's second moment"),
  logging_steps: count.default(10).describe('Updates between two lines of metrics.jsonl; each holds means over them'),
  eval_samples: count.default(500).describe('Conversations, at most, of an evaluation'),
  group_by_modality_length: z
    .boolean()
    .default(true)
    .describe('Updates with images and updates of text only; like lengths side by side in a micro-batch'),
  model_max_length: count
    .max(1 << 20)
    .default(2048)
    .describe('Longest sample in tokens, those of its images included; the rest is cut off'),
  isolated_turns: z
    .boolean()
    .default(false)
    .describe('Learn each question as if asked by itself; for questions that need no earlier turn, which cannot be checked'),
  loss_average: z
    .enum(['token', 'turn'])
    .default('token')
    .describe('The loss is a mean over supervised tokens, or over answers of the mean over their tokens'),
  image_aspect_ratio: z
    .enum(['pad', 'square'])
    .optional()
    .describe('pad: to a square with the mean colour; square: as the processor crops (default: pad; not for families with tiles)'),
  template: z
    .string()
    .min(1)
    .optional()
    .describe("Template of conversations (LLaVA's version): v1, plain, llama3, chatml, ...; by default the model's own"),
  freeze: z
    .array(z.string())
    .default([])
    .describe('Names of tensors that stay as they are; * stands for any text, /.../ is a regular expression'),
  gradient_checkpointing: z.boolean().default(false).describe('Compute activations again for the gradient: less memory, more time'),
});

/** Stage 1: only the projector. */
export const projectorTrainingSchema = commonSchema.extend({
  learning_rate: rate.default(1e-3).describe('Learning rate after the warm-up'),
  image_aspect_ratio: z
    .enum(['pad', 'square'])
    .optional()
    .describe('pad: to a square with the mean colour; square: as the processor crops (default: square; not for families with tiles)'),
  template: z.string().min(1).default('plain').describe('Template of conversations; plain: image, then the answer'),
});

/** Methods of stage 2. */
export const METHODS = ['full', 'lora', 'vittle'] as const;

/** Stage 2: the whole model but its tower, or adapters, with or without a bottleneck. */
export const tuneTrainingSchema = commonSchema.extend({
  method: z.enum(METHODS).default('full').describe('What is trained: decoder and projector, adapters and projector, or with a bottleneck'),
  prior: z.enum(['fixed', 'learnable']).default('fixed').describe('Vittle: standard normal prior (F), or a learnt one (L)'),
  beta_visual: rate.default(0.1).describe('Vittle: weight of the KL of image tokens, a mean over tokens and dimensions'),
  beta_text: rate.default(0.1).describe('Vittle: weight of the KL of the prompt, a mean over tokens and dimensions'),
  alpha_end: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Vittle: share α of the posterior in the hidden state that is passed on, at the end of training and when answering'),
  alpha_schedule: z
    .enum(['sigmoid', 'cosine', 'constant'])
    .default('sigmoid')
    .describe('Vittle: how that share grows (sigmoid: official; cosine: paper)'),
  bottleneck_layer: z
    .array(z.coerce.number().int().min(-1))
    .default([])
    .describe('Vittle: decoder blocks, from 0, with a bottleneck behind; by default the one at three quarters; -1: the image features'),
  half_log_kl: z.boolean().default(false).describe("Vittle: the official code's KL, which counts half of the log-variance"),
  index_split: z.boolean().default(false).describe("Vittle: the official code's split of image and text by position"),
  alpha_inference: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Vittle: share when answering, if it differs from alpha_end (official: 0.5)'),
  bottleneck_init: z
    .enum(['published', 'pass'])
    .optional()
    .describe('Vittle: how it begins. published: as noise; pass: passes the state on, h/s + f(h/s) (default: published, or the start’s)'),
  control: z
    .enum(['noise', 'deterministic'])
    .optional()
    .describe('Vittle: a control. noise: only noise, no encoder, no KL; deterministic: only the encoder, no noise, no KL'),
  noise_variance_visual: rate.positive().optional().describe('Vittle, control noise: variance for image tokens (default: 0.1)'),
  noise_variance_text: rate.positive().optional().describe('Vittle, control noise: variance for all other tokens (default: 0.1)'),
  beta_schedule: z
    .enum(['constant', 'after_alpha'])
    .default('constant')
    .describe('Vittle: after_alpha: alpha rises in the first third of the run, the weights of the KL in the second'),
  kl_charge: z
    .enum(['dimension', 'token'])
    .default('dimension')
    .describe('Vittle: what these weights multiply, a mean over tokens of: the mean over dimensions (as published), or the sum'),
  free_nats: rate.default(0).describe('Vittle: nats per dimension (kl-charge dimension) or per token (token) that cost nothing'),
  lora_r: count.max(65_536).default(128).describe('LoRA: rank'),
  lora_alpha: z.number().positive().default(256).describe('LoRA: the update is scaled by alpha / r'),
  lora_dropout: z.number().min(0).lt(1).default(0.05).describe("LoRA: dropout of the adapters' input"),
  lora_target_modules: z
    .array(z.string())
    .default([])
    .describe('LoRA: ends of names of adapted layers; by default all linear ones of the decoder'),
  merge_lora: z.boolean().default(false).describe('LoRA: write the finished model with the adapters merged'),
});

/** Arguments of stage 1. */
export type ProjectorArguments = z.infer<typeof projectorTrainingSchema>;
/** Arguments of stage 2. */
export type TuneArguments = z.infer<typeof tuneTrainingSchema>;
/** Arguments of either stage; `method` tells them apart. */
export type LlavaArguments = (ProjectorArguments & { readonly method: 'projector' }) | TuneArguments;

/** What becomes of a LLaVA's pictures that are no squares, as LLaVA-1.5 has it in either stage where nothing is said. */
export const aspectOf = ({ method, image_aspect_ratio: given }: Pick<LlavaArguments, 'method' | 'image_aspect_ratio'>): 'pad' | 'square' =>
  given ?? (method === 'projector' ? 'square' : 'pad');

/** What the schema cannot say of single arguments. @throws NarrowsError of kind `usage` */
export function checkLlavaArguments(args: LlavaArguments): void {
  const wrong = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });
  if (!args.data_path) {
    for (const key of ['validation_file', 'image_folder', 'auto_orient', 'window'] as const)
      if (args[key]) throw wrong(`"${key}" needs a "data_path": the built-in scenes bring their own.`);
    if (args.max_steps === 0) throw wrong('"max_steps" must be given on the built-in scenes, which have no end.');
  } else if (!args.model && args.method === 'projector') throw wrong('"model" is missing: give the LLaVA checkpoint to start from.');
  if (args.optim === 'muon' && args.mm_projector_lr !== undefined) throw wrong('"mm_projector_lr" needs "optim": "adamw".');
  if (args.learning_rate === 0 && args.mm_projector_lr)
    throw wrong('"learning_rate" is 0; to train only the projector, use narrows train projector.');
  if (args.preset && !presetsFor(args.method === 'projector').includes(args.preset))
    throw wrong(`The preset "${args.preset}" is of the other stage; here there are ${presetsFor(args.method === 'projector').join(', ')}.`);
}

/** Arguments that only one method of stage 2 reads. */
const READ_BY = {
  vittle: [
    ...(['prior', 'beta_visual', 'beta_text', 'alpha_end', 'alpha_schedule', 'half_log_kl', 'index_split', 'alpha_inference'] as const),
    ...(['bottleneck_init', 'control', 'noise_variance_visual', 'noise_variance_text'] as const),
    ...(['beta_schedule', 'kl_charge', 'free_nats'] as const),
  ],
  lora: ['lora_r', 'lora_alpha', 'lora_dropout', 'lora_target_modules', 'merge_lora'],
} as const;

/** Arguments of what is charged, which no control is; and of the control `noise`. */
const CHARGED = ['prior', 'beta_visual', 'beta_text', 'half_log_kl', 'kl_charge', 'free_nats'] as const;
const NOISE = ['noise_variance_visual', 'noise_variance_text'] as const;

/** A sentence for each argument that is set to another value than its default and that the run's method or control does not read. */
export function passedOver(args: LlavaArguments): string[] {
  if (args.method === 'projector') return [];
  const isSet = (key: keyof typeof tuneTrainingSchema.shape): boolean =>
    JSON.stringify(args[key]) !== JSON.stringify(tuneTrainingSchema.shape[key].safeParse(undefined).data);
  const ignored = (key: string, why: string): string => `"${key}" is ignored: ${why}`;
  const ofOthers = Object.entries(READ_BY).flatMap(([method, keys]) =>
    method === args.method
      ? []
      : keys.filter(isSet).map(key => ignored(key, `it belongs to the method ${method}, and this run's method is ${args.method}.`)),
  );
  const { control } = args;
  const ofControls =
    args.method !== 'vittle'
      ? []
      : [
          ...(control ? CHARGED.filter(isSet).map(key => ignored(key, `the control ${control} has no KL.`)) : []),
          ...(control === 'noise' ? [] : NOISE.filter(isSet).map(key => ignored(key, 'it belongs to the control noise.'))),
        ];
  return [...ofOthers, ...ofControls];
}
