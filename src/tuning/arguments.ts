/** @file Training arguments by Hugging Face's names (TrainingArguments in transformers v5), with their defaults where sensible here. */
import { z } from 'zod';
import { SCHEDULES } from '../optim/schedule.ts';
import { NarrowsError } from '../system/errors.ts';

const count = z.number().int().positive();
const rate = z.number().nonnegative();

/** Field names as in files and, in kebab case, as flags. */
export const trainingArgumentsSchema = z.strictObject({
  output_dir: z.string().min(1),
  max_steps: count.default(1000),
  per_device_train_batch_size: count.default(64),
  gradient_accumulation_steps: count.default(1),
  learning_rate: rate.default(1e-3),
  lr_scheduler_type: z.enum(SCHEDULES).default('cosine'),
  warmup_steps: rate.default(0),
  decay_steps: rate.default(0),
  optim: z.enum(['adamw', 'muon']).default('adamw'),
  weight_decay: rate.default(0.05),
  adam_beta1: rate.default(0.9),
  adam_beta2: rate.default(0.98),
  adam_epsilon: rate.default(1e-8),
  max_grad_norm: rate.default(1),
  logging_steps: count.default(20),
  eval_steps: count.default(500),
  save_steps: count.default(200),
  save_total_limit: count.default(2),
  seed: z.number().int().nonnegative().default(0),
  num_threads: z.number().int().nonnegative().default(0),
  report_to: z.array(z.enum(['jsonl', 'tensorboard'])).default(['jsonl', 'tensorboard']),
});

export type TrainingArguments = z.infer<typeof trainingArgumentsSchema>;

/** Parses with one sentence on failure that names the argument. */
export function parseArguments<T>(schema: z.ZodType<T>, json: unknown, source = 'the training arguments'): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new NarrowsError(`In ${source}, ${issue.path.length ? `"${issue.path.join('.')}" is wrong: ` : ''}${issue.message}.`, {
    kind: 'usage',
  });
}
