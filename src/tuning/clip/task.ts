/** @file Training a CLIP on the built-in scenes, and what that shares with training on pairs. */

import { saveCheckpoint } from '../../checkpoints/save.ts';
import { compile } from '../../graph/index.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { writeFileAtomic } from '../../node/files.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import { join } from '../../node/paths.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { TEST_STYLES } from '../../scenes/sprite-atlas.ts';
import { loadSprites, type SpriteOptions } from '../../scenes/sprites.ts';
import { floats } from '../../tensor/tensor.ts';
import type { TrainTask } from '../trainer.ts';
import type { ClipTrainingArguments } from './arguments.ts';
import { compileEncoders, type Encoders, worldExams } from './evaluate.ts';
import { gatheredStep, type SharedBatch, sharedBatch } from './gathered.ts';
import { contrastGraph, featureGraph, gatheredGraph, type LossWeights, trainGraph } from './graph.ts';
import { initialiseCLIP } from './initialise.ts';
import { BatchLoader } from './loader.ts';
import { type ClipSource, checkSceneVocabulary, pretrainedSource, sceneSource } from './source.ts';

/** A task ready for `train`, and what must be closed afterwards. */
export interface ClipTask extends TrainTask {
  readonly source: ClipSource;
  readonly encoders: Encoders;
  close(): Promise<void>;
}

/** What the losses are over. */
export interface ClipLosses {
  readonly weights: LossWeights;
  /** As of `trainGraph`. */
  readonly grouped?: boolean;
  readonly names?: number;
}

/** A task without its data. */
interface Frame extends Omit<ClipTask, 'batch' | 'follow'> {
  /** Binds what batches come from; closing the task closes it. */
  drawFrom(loader: BatchLoader): Pick<ClipTask, 'batch' | 'follow' | 'together' | 'close'>;
}

/** The part of a task that does not depend on the data: graphs, weights, saving. @param shared where processes share the rows of a batch */
export async function clipTask(
  runtime: Runtime,
  args: ClipTrainingArguments,
  source: ClipSource,
  { weights, grouped = false, names = args.max_objects }: ClipLosses,
  shared?: SharedBatch,
): Promise<Frame> {
  const { config } = source;
  const traced = trainGraph(config, weights, names, grouped);
  const parameters: Parameter[] = source.weights
    ? [...traced.parameters].map(([name, { shape }]) => ({ name, shape: shape as number[], data: source.weights!.get(name)!.slice() }))
    : initialiseCLIP(source.config, traced.parameters, args.seed);
  const gathered = shared && {
    features: await compile(runtime, featureGraph(config)),
    contrast: await compile(runtime, contrastGraph(config, weights.contrastive)),
    backward: await compile(runtime, gatheredGraph(config, weights, names)),
  };
  const graph = gathered?.backward ?? (await compile(runtime, traced.outputs));
  const encoders = await compileEncoders(runtime, source.config);
  const logitScale = parameters.find(p => p.name === 'logit_scale')!;
  const close = async (): Promise<void> => {
    for (const g of [graph, ...(gathered ? [gathered.features, gathered.contrast] : []), encoders.image, encoders.text]) await g.release();
  };
  return {
    runtime,
    source,
    warnings: source.warnings,
    parameters,
    graph,
    encoders,
    afterUpdate() {
      logitScale.data[0] = Math.min(logitScale.data[0], Math.log(100));
    },
    save: directory => saveClip(directory, args, source, parameters),
    close,
    drawFrom(loader) {
      const batch = (step: number): Promise<Feeds> => loader.batch(step);
      return {
        batch,
        follow: loader.follow,
        ...(gathered && { together: gatheredStep(gathered, shared, weights, config.projection_dim, batch) }),
        async close() {
          await loader.close();
          await close();
        },
      };
    },
  };
}

/** Who shares the run, and how drawing is watched. */
export interface ClipTaskOptions extends Pick<SpriteOptions, 'onProgress' | 'signal'> {
  readonly ranks?: Ranks;
}

/**
 * Training on the built-in scenes; evaluation on fresh scenes of trained and of unseen styles.
 * @throws NarrowsError where `args.model` has another vocabulary or does not fit
 */
export async function clipSceneTask(
  runtime: Runtime,
  args: ClipTrainingArguments,
  { ranks, ...sprites }: ClipTaskOptions = {},
): Promise<ClipTask> {
  const source = args.model ? await pretrainedSource(args.model) : sceneSource(args);
  if (args.model) checkSceneVocabulary(source, args.model);
  const worlds = { trained: await loadSprites(sprites), unseen: await loadSprites({ ...sprites, styles: TEST_STYLES }) };
  const weights = { contrastive: args.contrastive_weight, naming: args.naming_weight, dense: args.dense_weight };
  const shared = sharedBatch(args, ranks);
  const task = await clipTask(runtime, args, source, { weights }, shared);
  const { image_mean: imageMean, image_std: imageStd } = ImageProcessor.fromConfig(source.preprocessor).config;
  const { image_size: imageSize, patch_size: patchSize } = source.config.vision_config;
  const shape = { imageSize, patchSize, imageMean, imageStd };
  const loader = new BatchLoader({
    world: worlds.trained,
    rows: shared?.rows,
    settings: {
      ...shape,
      seed: args.seed,
      batchSize: args.per_device_train_batch_size,
      curriculumSteps: args.curriculum_steps,
      maxObjects: args.max_objects,
      keptPatches: args.kept_patches,
      namesPerStep: args.names_per_step,
    },
  });
  return {
    ...task,
    ...task.drawFrom(loader),
    exams() {
      const feeds = Object.fromEntries(task.parameters.map(p => [p.name, floats(p.shape, p.data)]));
      return Object.entries(worlds).flatMap(([name, world]) =>
        worldExams(task.encoders, feeds, { ...shape, world, seed: 1_000_003, samples: args.eval_samples }, name),
      );
    },
  };
}

/** Writes a model directory that `CLIPModel.from_pretrained` of transformers and of Narrows opens, and training_args.json. */
async function saveClip(
  directory: string,
  args: ClipTrainingArguments,
  source: ClipSource,
  parameters: readonly Parameter[],
): Promise<void> {
  for (const [name, content] of source.files) await writeFileAtomic(join(directory, name), content);
  await writeFileAtomic(join(directory, 'training_args.json'), `${JSON.stringify({ ...args, output_dir: undefined }, null, 2)}\n`);
  await saveCheckpoint(
    directory,
    parameters.map(p => [p.name, floats(p.shape, p.data)] as const),
    { config: source.config },
  );
}
