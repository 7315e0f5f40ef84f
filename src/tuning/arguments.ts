/** @file Training arguments by Hugging Face's names (TrainingArguments in transformers v5), with their defaults where sensible here. */
import { z } from 'zod';
import { type ImageReadOptions, parseWindow, WINDOW_FORM } from '../inputs/image/image-reading.ts';
import { SCHEDULES } from '../optim/schedule.ts';
import { MAX_THREADS } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import { issueText } from '../system/issue-text.ts';

const count = z.number().int().positive();
const rate = z.number().nonnegative();
const share = z.number().min(0).lt(1);

/** More samples at once than any machine holds. */
export const LARGEST_BATCH = 65_536;

/** Field names as in files and, in kebab case, as flags; descriptions are the flags' help. */
export const trainingArgumentsSchema = z.strictObject({
  output_dir: z.string().min(1).describe('Directory for checkpoints, figures and the finished model; a run in it is resumed'),
  max_steps: count.default(1000).describe('Updates in total'),
  per_device_train_batch_size: count.max(LARGEST_BATCH).default(64).describe('Pairs per micro-batch: what the contrastive loss is over'),
  gradient_accumulation_steps: count
    .max(LARGEST_BATCH)
    .default(1)
    .describe('Micro-batches per update; several processes (mpirun) share them out'),
  learning_rate: rate.default(1e-3).describe('Learning rate after the warm-up'),
  lr_scheduler_type: z.enum(SCHEDULES).default('cosine').describe('Course of the learning rate'),
  warmup_steps: rate.default(0).describe('Updates of linear warm-up; below 1: share of max_steps'),
  decay_steps: rate.default(0).describe('Updates of the linear fall at the end (warmup_stable_decay)'),
  optim: z.enum(['adamw', 'muon']).default('adamw').describe('Optimiser; muon moves the matrices of the blocks, AdamW the rest'),
  weight_decay: rate.default(0.05).describe('Decoupled weight decay of tensors with two or more axes'),
  adam_beta1: share.default(0.9).describe("Decay of AdamW's first moment"),
  adam_beta2: share.default(0.98).describe("Decay of AdamW's second moment"),
  adam_epsilon: rate.default(1e-8).describe("AdamW's epsilon"),
  max_grad_norm: rate.default(1).describe('Largest norm of all gradients together; 0 turns the clip off'),
  logging_steps: count.default(20).describe('Updates between two lines of metrics.jsonl; each holds means over them'),
  eval_steps: count.default(500).describe('Updates between two evaluations; one more at the end'),
  save_steps: count.default(200).describe('Updates between two checkpoints; one more at the end'),
  save_total_limit: count.default(2).describe('Checkpoints that are kept, in addition to the best one'),
  load_best_model_at_end: z.boolean().default(false).describe('End with the weights of the best evaluation instead of the last ones'),
  metric_for_best_model: z.string().min(1).default('loss').describe('Which figure of an evaluation says what is best'),
  greater_is_better: z
    .boolean()
    .optional()
    .describe('Whether a larger value of that figure is better; by default yes, unless its name ends in loss'),
  early_stopping_patience: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe('Evaluations without improvement after which the run ends; 0: never'),
  early_stopping_threshold: rate.default(0).describe('By how much a figure must be better to count as an improvement'),
  auto_orient: z.boolean().default(false).describe('Turn pictures upright by their orientation tag; by default as stored, with a warning'),
  window: z
    .string()
    .refine(text => parseWindow(text) !== undefined, WINDOW_FORM)
    .optional()
    .describe('Values of 16-bit pictures that become black and white: LOW,HIGH; auto (default): by the picture; pillow'),
  frame: count.optional().describe('Of DICOM files of several frames: which one, from 1'),
  shard_optimizer: z
    .boolean()
    .default(false)
    .describe("Several processes (mpirun): each keeps a part of the optimiser's state (ZeRO-1); the result is the same"),
  seed: z.number().int().nonnegative().default(0).describe('Seed of weights and data'),
  num_threads: z.number().int().min(0).max(MAX_THREADS).default(0).describe('Threads of the engine; 0: all cores'),
  report_to: z
    .array(z.enum(['jsonl', 'tensorboard']))
    .default(['jsonl', 'tensorboard'])
    .describe('Where figures go; metrics.jsonl is always written'),
});

/** Arguments that every training run has. */
export type TrainingArguments = z.infer<typeof trainingArgumentsSchema>;

/** How a run reads pictures, as it can be posted to a worker. */
export type PictureReading = Pick<ImageReadOptions, 'autoOrient' | 'window' | 'frame'>;

/** How a run's arguments want pictures read. */
export const pictureReading = (args: Pick<TrainingArguments, 'auto_orient' | 'window' | 'frame'>): PictureReading => ({
  autoOrient: args.auto_orient,
  window: args.window === undefined ? undefined : parseWindow(args.window),
  ...(args.frame === undefined ? {} : { frame: args.frame }),
});

/** Parses with one sentence on failure that names the argument. @throws NarrowsError of kind `usage` */
export function parseArguments<T>(schema: z.ZodType<T>, json: unknown, source = 'the training arguments'): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new NarrowsError(`In ${source}, ${issue.path.length ? `"${issue.path.join('.')}" is wrong: ` : ''}${issueText(issue, json)}.`, {
    kind: 'usage',
  });
}
