/** @file What `narrows experiment vittle-scenes` runs: which conditions, shifts, sizes. All of it stands in the experiment's settings.json. */
import { z } from 'zod';
import { CONDITION_NAMES } from './conditions.ts';
import { checkRecipe, recipeShape } from './pretrain-settings.ts';

/** A number far beyond what the experiment can use is refused before anything is allocated. */
const count = z.number().int().positive().max(1_000_000);
const share = z.number().min(0).max(1);

/** Exams that are sat where they are asked for. */
const FURTHER_EXAMS = ['joint', 'tail', 'pope', 'choice', 'open'] as const;

/** Share of existence questions whose answer the cue foretells while tuning. */
export const CUE_SHARE = 0.9;

const settingsSchema = z.strictObject({
  start: z
    .string()
    .min(1)
    .describe('The pre-trained start: a shipped model, or a directory; pre-trained there where it does not exist yet'),
  tower: z.string().default('scene-clip').describe('CLIP that gives the vision tower'),
  pretrain_steps: count.default(6000).describe('Updates of pre-training'),
  pretrain_learning_rate: z.number().positive().default(0.003),
  // Without a default: an experiment that began before they were there goes on.
  pretrain_isolated_turns: z
    .boolean()
    .optional()
    .describe('Pre-training asks each question right behind the picture (isolated turns), and its loss is a mean over answers'),
  pretrain_whiten_scenes: count
    .max(100_000)
    .optional()
    .describe(
      "Pre-training whitens the projector's input, where position lies in faint directions, as measured on so many scenes (1500 do)",
    ),
  pretrain_patch_steps: count.optional().describe('Pre-training begins with so many updates on patches: their words and places'),
  ...recipeShape,
  tune_isolated_turns: z.boolean().optional().describe('Tuning asks each question right behind the picture, as the exams do'),
  tune_steps: count.default(1000).describe('Updates of each tuning run'),
  seeds: count.max(1000).default(8).describe('Seeds per condition: data order, noise, new weights'),
  batch_size: count.max(65_536).default(16),
  max_turns: count.default(6).describe('Turns of a conversation while tuning'),
  learning_rate: z.number().positive().default(5e-4),
  lora_learning_rate: z.number().positive().default(5e-3),
  bottleneck_learning_rate: z
    .number()
    .positive()
    .default(5e-3)
    .describe('Of the bottleneck, which is new as adapters are; the paper, with many more updates, has one rate for all'),
  lora_r: count.max(65_536).default(8),
  weight_decay: z.number().nonnegative().default(1).describe('Of the weight-decay condition'),
  beta: z.number().nonnegative().default(0.1),
  alpha_end: share.default(0.5),
  bottleneck_layer: z.number().int().min(0).max(1024).default(2),
  beta_pass: z.number().nonnegative().optional().describe('beta of the conditions with pass (default: beta)'),
  noise_variance: z
    .number()
    .positive()
    .max(100)
    .optional()
    .describe(
      'Variance of the condition noise-pass, and what dropout is as strong as, in units of the stream (default: 0.1, as pass begins)',
    ),
  conditions: z
    .array(z.enum([...CONDITION_NAMES, 'all']))
    .refine(list => list.includes('plain') || list.includes('all'), 'it must have plain, which the others are compared with')
    .optional()
    .describe(`Conditions: all, or some of ${CONDITION_NAMES.join(', ')} (default: the first six)`),
  smallest_effect: share
    .positive()
    .optional()
    .describe('Smallest difference of accuracy that matters: what is shown to be less counts as equal (default: 0.01)'),
  choose: z
    .boolean()
    .default(true)
    .describe('Choose beta, layer, alpha and weight decay (and beta_pass) on validation scenes; else take those above'),
  scenes: count.max(10_000).default(40).describe('Scenes of each exam'),
  severities: z.array(z.coerce.number().int().min(1).max(5)).default([1, 3, 5]),
  corruptions: z.array(z.string()).default(['gaussian_noise', 'defocus_blur', 'contrast', 'brightness', 'jpeg_compression']),
  mixed_severities: z
    .boolean()
    .optional()
    .describe('One exam for each corruption, scene by scene at the next of the severities, instead of an exam for each severity'),
  further_exams: z
    .array(z.enum(FURTHER_EXAMS))
    .optional()
    .describe('Exams beside those: joint shifts of vittle-9x9x9, the long tail, scenes-pope, scenes-choice, scenes-open'),
  questions_per_scene: count
    .max(16)
    .optional()
    .describe(
      'Closed questions of each scene in the exams of shifted words and of the long tail, others from shift to shift (default: all)',
    ),
  cue: z
    .boolean()
    .optional()
    .describe(
      `Tune with a spurious cue (the background's colour foretells the answer of existence questions in ${100 * CUE_SHARE} % of them), and only sit the exam in which it foretells nothing`,
    ),
  choose_steps: count.optional().describe('Updates of a run that only chooses hyper-parameters (default: as tune_steps)'),
  text_shifts: z.array(z.string()).default(['keyboard', 'word_swap']),
  text_severity: count.max(5).default(3),
  validation_corruptions: z.array(z.string()).default(['shot_noise', 'gaussian_blur']),
});

/** Settings of the experiment. The same ones resume it. */
export const experimentSchema = settingsSchema.superRefine(checkRecipe);

/** Settings with defaults filled in. */
export type ExperimentSettings = z.infer<typeof experimentSchema>;
