/** @file Training a small CLIP on the built-in scenes: configuration, task, files. */
import { join } from 'node:path';
import { z } from 'zod';
import { saveCheckpoint } from '../../checkpoints/save.ts';
import { compile } from '../../graph/index.ts';
import { type CLIPConfig, parseCLIPConfig } from '../../models/clip/config.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { TEST_STYLES } from '../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { SPECIAL_TOKENS, sceneTokenizerJson, VOCABULARY_SIZE } from '../../scenes/vocabulary.ts';
import { writeFileAtomic } from '../../system/files.ts';
import { floats } from '../../tensor/tensor.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { compileEncoders, evaluateWorld } from './evaluate.ts';
import { trainGraph } from './graph.ts';
import { initialiseCLIP } from './initialise.ts';
import { SceneLoader } from './loader.ts';

const count = z.number().int().positive();

/** Arguments of `narrows train clip` on scenes. The model's own keys are those of config.json. */
export const clipTrainingSchema = trainingArgumentsSchema.extend({
  image_size: count.default(96),
  patch_size: count.default(12),
  vision_hidden_size: count.default(192),
  vision_num_hidden_layers: count.default(6),
  text_hidden_size: count.default(128),
  text_num_hidden_layers: count.default(3),
  projection_dim: count.default(128),
  head_dim: count.default(32),
  hidden_act: z.string().default('quick_gelu'),
  curriculum_steps: count.default(1500),
  max_objects: count.max(6).default(4),
  kept_patches: z.array(z.object({ fromStep: z.number().int().nonnegative(), count })).default([]),
  names_per_step: count.default(200),
  contrastive_weight: z.number().nonnegative().default(1),
  naming_weight: z.number().nonnegative().default(1),
  dense_weight: z.number().nonnegative().default(1),
  eval_samples: count.default(200),
});
export type ClipTrainingArguments = z.infer<typeof clipTrainingSchema>;

/** Pixel statistics of the shipped model's preprocessor. */
const IMAGE_MEAN = [0.5, 0.5, 0.5];
const IMAGE_STD = [0.27, 0.27, 0.27];

/** config.json of the model that the arguments describe. */
export function sceneClipConfig(args: ClipTrainingArguments): CLIPConfig {
  const tower = (width: number, layers: number) => ({
    hidden_size: width,
    intermediate_size: 4 * width,
    num_hidden_layers: layers,
    num_attention_heads: Math.max(1, Math.round(width / args.head_dim)),
    hidden_act: args.hidden_act,
    projection_dim: args.projection_dim,
    layer_norm_eps: 1e-5,
    attention_dropout: 0,
  });
  const id = (token: (typeof SPECIAL_TOKENS)[number]): number => SPECIAL_TOKENS.indexOf(token);
  return parseCLIPConfig({
    architectures: ['CLIPModel'],
    model_type: 'clip',
    dtype: 'float32',
    projection_dim: args.projection_dim,
    logit_scale_init_value: Math.log(10),
    text_config: {
      model_type: 'clip_text_model',
      ...tower(args.text_hidden_size, args.text_num_hidden_layers),
      vocab_size: VOCABULARY_SIZE,
      max_position_embeddings: 24,
      bos_token_id: id('<bos>'),
      eos_token_id: id('<eos>'),
      pad_token_id: id('<pad>'),
    },
    vision_config: {
      model_type: 'clip_vision_model',
      ...tower(args.vision_hidden_size, args.vision_num_hidden_layers),
      image_size: args.image_size,
      patch_size: args.patch_size,
      num_channels: 3,
    },
  });
}

/** preprocessor_config.json for a square image size. */
export const scenePreprocessor = (size: number): object => ({
  image_processor_type: 'CLIPImageProcessor',
  crop_size: { height: size, width: size },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: IMAGE_MEAN,
  image_std: IMAGE_STD,
  resample: 3,
  rescale_factor: 1 / 255,
  size: { shortest_edge: size },
});

/** A task ready for `train`, and what must be closed afterwards. */
export async function clipSceneTask(runtime: Runtime, args: ClipTrainingArguments): Promise<TrainTask & { close(): Promise<void> }> {
  const config = sceneClipConfig(args);
  const weights = { contrastive: args.contrastive_weight, naming: args.naming_weight, dense: args.dense_weight };
  const traced = trainGraph(config, weights, args.max_objects);
  const parameters = initialiseCLIP(config, traced.parameters, args.seed);
  const graph = await compile(runtime, traced.outputs);
  const shape = { imageSize: args.image_size, patchSize: args.patch_size, imageMean: IMAGE_MEAN, imageStd: IMAGE_STD };
  const loader = new SceneLoader(await loadSprites(), {
    ...shape,
    seed: args.seed,
    batchSize: args.per_device_train_batch_size,
    curriculumSteps: args.curriculum_steps,
    maxObjects: args.max_objects,
    keptPatches: args.kept_patches,
    namesPerStep: args.names_per_step,
  });
  const encoders = await compileEncoders(runtime, config);
  const worlds = { trained: await loadSprites(), unseen: await loadSprites({ styles: TEST_STYLES }) };
  const logitScale = parameters.find(p => p.name === 'logit_scale')!;
  return {
    parameters,
    graph,
    batch: step => loader.batch(step),
    afterUpdate() {
      logitScale.data[0] = Math.min(logitScale.data[0], Math.log(100));
    },
    async evaluate() {
      const feeds = Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
      const metrics: Record<string, number> = {};
      for (const [name, world] of Object.entries(worlds)) {
        const scores = await evaluateWorld(encoders, feeds, { ...shape, world, seed: 1_000_003, samples: args.eval_samples });
        for (const [key, values] of Object.entries(scores))
          metrics[`eval_${name}_${key}`] = values.reduce((a: number, b: number) => a + b, 0) / values.length;
      }
      return metrics;
    },
    save: directory => saveSceneClip(directory, args, parameters),
    async close() {
      await loader.close();
      for (const g of [graph, encoders.image, encoders.text]) await g.release();
    },
  };
}

/** Writes a model directory that `CLIPModel.from_pretrained` of transformers and of Narrows opens. */
export async function saveSceneClip(directory: string, args: ClipTrainingArguments, parameters: TrainTask['parameters']): Promise<void> {
  const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  for (const [name, content] of Object.entries(sceneTokenizerJson(24))) await writeFileAtomic(join(directory, name), json(content));
  await writeFileAtomic(join(directory, 'preprocessor_config.json'), json(scenePreprocessor(args.image_size)));
  await writeFileAtomic(join(directory, 'training_args.json'), json({ ...args, output_dir: undefined }));
  await saveCheckpoint(
    directory,
    parameters.map(p => [p.name, floats(p.shape, p.data)] as const),
    { config: sceneClipConfig(args) },
  );
}
