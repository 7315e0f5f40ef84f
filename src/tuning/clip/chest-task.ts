/** @file Training a CLIP on phantom chests and their reports; evaluation on fresh chests. */
import { ImageProcessor } from '../../inputs/image/processor.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { floats } from '../../tensor/tensor.ts';
import type { ClipTrainingArguments } from './arguments.ts';
import { type ChestBatchSettings, MOST_NAMES } from './chest-batch.ts';
import { chestExam } from './chest-exam.ts';
import { sharedBatch } from './gathered.ts';
import { BatchLoader } from './loader.ts';
import { chestSource } from './source.ts';
import { type ClipTask, clipTask } from './task.ts';

/** Training on phantom chests. */
export async function clipChestTask(runtime: Runtime, args: ClipTrainingArguments, ranks?: Ranks): Promise<ClipTask> {
  const source = chestSource(args);
  const weights = { contrastive: args.contrastive_weight, naming: args.naming_weight, dense: args.dense_weight };
  const shared = sharedBatch(args, ranks);
  const task = await clipTask(runtime, args, source, { weights, grouped: true, names: MOST_NAMES }, shared);
  const { image_mean: imageMean, image_std: imageStd } = ImageProcessor.fromConfig(source.preprocessor).config;
  const { image_size: imageSize, patch_size: patchSize } = source.config.vision_config;
  const settings: ChestBatchSettings = {
    ...{ imageSize, patchSize, imageMean, imageStd },
    seed: args.seed,
    batchSize: args.per_device_train_batch_size,
    maxLength: args.max_seq_length,
    maxFindings: args.max_objects,
    keptPatches: args.kept_patches,
  };
  const loader = new BatchLoader({ chests: settings, rows: shared?.rows });
  return {
    ...task,
    ...task.drawFrom(loader),
    exams() {
      const feeds = Object.fromEntries(task.parameters.map(p => [p.name, floats(p.shape, p.data)]));
      return [chestExam(task.encoders, feeds, { ...settings, seed: 1_000_003 }, args.eval_samples)];
    },
  };
}
