/** @file Arguments of `narrows train clip`: those of every run, the model's shape, the scenes, or a file of image–caption pairs. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import { trainingArgumentsSchema } from '../arguments.ts';

const count = z.number().int().positive();
/** A size of the model: wider ones are no small CLIP, and would fill the memory before the first step. */
const size = count.max(65_536);
const weight = z.number().nonnegative();
const path = z.string().min(1).optional();

/** The model's own keys are those of config.json, `vision_` and `text_` before the ones of a tower. */
export const clipTrainingSchema = trainingArgumentsSchema.extend({
  scene_kind: z.enum(['things', 'chest']).default('things').describe('Built-in scenes: things, or phantom chest X-rays with reports'),
  train_file: path.describe('List of pairs (.csv, .tsv, .jsonl, .json, .parquet): image and caption; without it: the built-in scenes'),
  validation_file: path.describe('List of pairs for evaluation (with train_file)'),
  ignore_bad: z.boolean().default(false).describe('Leave out pairs that cannot be read, with a warning, instead of stopping'),
  distinct_captions: z
    .boolean()
    .default(false)
    .describe('Pairs: each is a separate target, in loss and evaluation, even where captions are equal'),
  model: path.describe('CLIP checkpoint to start from; its config, tokenizer and preprocessor are kept'),
  tokenizer: path.describe('Directory of a tokenizer (with train_file); without it: the words of the captions'),
  vocabulary_size: count
    .max(10_000_000)
    .default(10_000)
    .describe('Most words of a tokenizer made from the captions, the most frequent first'),
  max_seq_length: size.default(24).describe('Longest text in tokens; longer captions are cut'),
  image_size: size.default(96).describe('Edge of the input image, pixels'),
  patch_size: size.default(12).describe('Edge of a patch, pixels'),
  vision_hidden_size: size.default(192).describe('Width of the vision tower'),
  vision_num_hidden_layers: count.max(1024).default(6).describe('Blocks of the vision tower'),
  text_hidden_size: size.default(128).describe('Width of the text tower'),
  text_num_hidden_layers: count.max(1024).default(3).describe('Blocks of the text tower'),
  projection_dim: size.default(128).describe('Dimension of the shared space'),
  head_dim: size.default(32).describe('Width of an attention head'),
  hidden_act: z
    .enum(Object.keys(ACTIVATIONS) as [string, ...string[]])
    .default('quick_gelu')
    .describe('Activation of the MLPs'),
  curriculum_steps: count.default(1500).describe('Scenes: micro-batches until one more object may appear'),
  max_objects: count.max(6).default(4).describe('Scenes: most objects of a scene'),
  kept_patches: z
    .array(z.object({ fromStep: z.number().int().nonnegative(), count }))
    .default([])
    .describe('Patches per image that the tower sees from a micro-batch on, [{"fromStep": 0, "count": 24}]; empty: all'),
  names_per_step: size.default(200).describe('Scenes: names that the naming losses choose among'),
  contrastive_weight: weight.default(1).describe('Weight of the contrastive loss on captions'),
  naming_weight: weight.default(1).describe('Scenes: weight of naming the objects of an image'),
  dense_weight: weight.default(1).describe('Scenes: weight of naming the object of each patch'),
  eval_samples: count.max(10_000_000).default(200).describe('Scenes or pairs per measure of an evaluation'),
});

/** Arguments of a CLIP training run. */
export type ClipTrainingArguments = z.infer<typeof clipTrainingSchema>;

/** What the schema cannot say of single arguments. @throws NarrowsError of kind `usage` */
export function checkClipArguments(args: ClipTrainingArguments): void {
  const wrong = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });
  if (args.scene_kind === 'chest') {
    if (args.train_file) throw wrong('"scene_kind" is for runs without a "train_file".');
    if (args.model) throw wrong('A run on phantom chests starts from random weights; leave "model" out.');
    if (args.max_seq_length < 48) throw wrong('"max_seq_length" must be at least 48 on chests, whose reports have up to 48 tokens.');
  }
  if (!args.train_file) {
    for (const key of ['validation_file', 'tokenizer', 'auto_orient', 'window', 'distinct_captions'] as const)
      if (args[key]) throw wrong(`"${key}" needs a "train_file": the built-in scenes bring their own.`);
    if (args.max_seq_length < 24) throw wrong(`"max_seq_length" must be at least 24 on scenes, whose captions have up to 24 tokens.`);
    if (args.contrastive_weight + args.naming_weight + args.dense_weight === 0)
      throw wrong('All loss weights are 0; there is nothing to learn.');
  } else if (args.contrastive_weight === 0)
    throw wrong('"contrastive_weight" is 0, and pairs have no other loss; there is nothing to learn.');
  if (args.model && args.tokenizer) throw wrong('"tokenizer" cannot be given with "model", which brings its own.');
  if (args.train_file && args.per_device_train_batch_size < 2)
    throw wrong('"per_device_train_batch_size" must be at least 2: the contrastive loss tells the pairs of a batch apart.');
}
