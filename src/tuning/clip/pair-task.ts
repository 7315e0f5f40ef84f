/** @file Training a CLIP on image–caption pairs from a list, from scratch or from a checkpoint. */
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats } from '../../tensor/tensor.ts';
import { pictureReading } from '../arguments.ts';
import type { Note } from '../batch-loader.ts';
import type { ClipTrainingArguments } from './arguments.ts';
import { pairExam } from './evaluate-pairs.ts';
import { sharedBatch } from './gathered.ts';
import { BatchLoader } from './loader.ts';
import { type PairFormat, PairReader } from './pair-batch.ts';
import { readTrainingPairs } from './pairs.ts';
import { pairSource, pretrainedSource } from './source.ts';
import { type ClipTask, clipTask } from './task.ts';

/**
 * Training on `args.train_file`, with `args.validation_file` for evaluation. @param note called for pairs left out and captions cut
 * @throws NarrowsError for files that cannot be read, too few pairs, or a model and tokenizer that do not fit
 */
export async function clipPairTask(runtime: Runtime, args: ClipTrainingArguments, note: Note = () => {}, ranks?: Ranks): Promise<ClipTask> {
  const ignore = args.ignore_bad ? (message: string) => note(`Left out: ${message}`, message) : undefined;
  const warn = (message: string): void => note(message, message);
  const { pairs, hash } = await readTrainingPairs(args.train_file!, ignore, warn);
  const batchSize = args.per_device_train_batch_size;
  if (pairs.length < batchSize)
    throw new NarrowsError(`${args.train_file} has ${pairs.length} pairs, fewer than the batch of ${batchSize}; lower the batch size.`);
  const validation = args.validation_file ? await readTrainingPairs(args.validation_file, ignore, warn) : undefined;
  const source = args.model
    ? await pretrainedSource(args.model)
    : await pairSource(
        args,
        pairs.map(p => p.text),
      );
  const { text_config: textConfig, vision_config: vision } = source.config;
  const format: PairFormat = {
    preprocessor: source.preprocessor,
    tokenizer: source.tokenizer,
    textConfig,
    imageSize: vision.image_size,
    patchSize: vision.patch_size,
    maxLength: textConfig.max_position_embeddings,
    pictures: pictureReading(args),
  };
  const reader = new PairReader(format);
  if (reader.vocabularySize > textConfig.vocab_size)
    throw new NarrowsError(
      `The tokenizer has ${reader.vocabularySize} tokens, but the model of ${args.model} only ${textConfig.vocab_size}.`,
    );
  // Without equal captions both losses are the same: the usual graph is kept.
  const grouped = !args.distinct_captions && new Set(pairs.map(p => p.text)).size < pairs.length;
  const shared = sharedBatch(args, ranks);
  const task = await clipTask(
    runtime,
    args,
    source,
    { weights: { contrastive: args.contrastive_weight, naming: 0, dense: 0 }, grouped },
    shared,
  );
  const loader = new BatchLoader(
    {
      pairs: { pairs, format, seed: args.seed, batchSize, keptPatches: args.kept_patches, grouped, ignoreBad: args.ignore_bad },
      rows: shared?.rows,
    },
    note,
  );
  const logitScale = task.parameters.find(p => p.name === 'logit_scale')!;
  return {
    ...task,
    dataHash: hash,
    ...task.drawFrom(loader),
    ...(validation && {
      async exams() {
        const weights = Object.fromEntries(task.parameters.map(p => [p.name, floats(p.shape, p.data)]));
        const scale = Math.min(100, Math.exp(logitScale.data[0]));
        const { encoders } = task;
        const how = {
          ...{ encoders, weights, reader, scale, hash: validation.hash, distinct: args.distinct_captions },
          note: args.ignore_bad ? note : undefined,
        };
        return [await pairExam(how, validation.pairs.slice(0, args.eval_samples))];
      },
    }),
  };
}
