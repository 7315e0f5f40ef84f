/** @file Training a LLaVA on a file of conversations, by any method. */
import { inferenceAlpha } from '../../bottleneck/gaussian/config.ts';
import { ALPHA_INPUT, noiseInput, trainingBottleneck } from '../../bottleneck/gaussian/train.ts';
import { type CompiledGraph, cacheKey, compile, GraphCache } from '../../graph/index.ts';
import { noEndSentence } from '../../inputs/chat/answer-end.ts';
import { missingMarks } from '../../inputs/chat/picture-marks.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import { familyOf } from '../../models/llava/families.ts';
import type { PictureFamily } from '../../models/llava/family.ts';
import { typicalImageTokens } from '../../models/llava/placement.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, type Tensor } from '../../tensor/tensor.ts';
import { pictureReading } from '../arguments.ts';
import type { Note } from '../batch-loader.ts';
import type { ClosableTask } from '../run.ts';
import { aspectOf, type LlavaArguments } from './arguments.ts';
import { type ChatFormat, ChatReader } from './chat-reader.ts';
import { groupLength, readChatData } from './data.ts';
import { FileBatches, type FileBatchSettings } from './file-batch.ts';
import { fileExam } from './file-evaluate.ts';
import { type LlavaTrainGraph, llavaTrainGraph } from './graph.ts';
import { checkIsolated } from './isolated-check.ts';
import { ChatLoader } from './loader.ts';
import { dropoutOption } from './lora-dropout.ts';
import { requireTrainingMemory, trainingCompileOptions } from './memory.ts';
import { type Method, methodOf } from './method.ts';
import { ModalitySampler, type SamplerSettings } from './sampler.ts';
import { checkBottleneckKept, type LlavaSource, llavaSource } from './source.ts';
import { startValues } from './start-values.ts';
import { openTrained, saveMerged, saveTrained } from './store.ts';
import { withStreamScale } from './stream-scale.ts';
import { asTrained } from './trained-files.ts';

/** A task, what it trains, and how long. */
export interface LlavaTask extends ClosableTask {
  readonly method: Method;
  /** Updates in all. */
  readonly maxSteps: number;
  /** Samples of the file. */
  readonly samples: number;
  /** Tokens of the batches taken so far, padding not counted. */
  tokens(): number;
}

/** What `max_steps` and `num_train_epochs` say together. */
const stepsOf = (args: LlavaArguments, updatesPerEpoch: number): number =>
  args.max_steps || Math.max(1, Math.ceil(args.num_train_epochs * updatesPerEpoch));

function formatOf(args: LlavaArguments, source: LlavaSource): ChatFormat {
  const { config, preprocessor, tokenizer, directory } = source;
  const { template, model_max_length: maxLength } = args;
  const aspectRatio = aspectOf(args);
  const { isolated_turns: isolatedTurns, loss_average: lossAverage } = args;
  return {
    ...{ config, preprocessor, tokenizer, directory, template, maxLength, aspectRatio },
    ...{ pictures: pictureReading(args), isolatedTurns, lossAverage },
  };
}

/** A sentence for each argument that is given and that the family of the start has no use for. */
const passedOverBy = (family: PictureFamily | undefined, args: LlavaArguments, directory: string): string[] =>
  family && args.image_aspect_ratio !== undefined
    ? [
        `"image_aspect_ratio" is ignored: ${directory} is a ${family.title}, which takes pictures of any shape by its own rules (preprocessor_config.json).`,
      ]
    : [];

function samplerOf(args: LlavaArguments, lengths: readonly number[]): SamplerSettings {
  const { seed, per_device_train_batch_size: batchSize, gradient_accumulation_steps: accumulation } = args;
  if (lengths.length < batchSize * accumulation)
    throw new NarrowsError(
      `${args.data_path} has ${lengths.length} samples, fewer than the ${batchSize * accumulation} of an update; lower "per_device_train_batch_size" or "gradient_accumulation_steps".`,
      { kind: 'usage' },
    );
  return { seed, batchSize, accumulation, lengths, grouped: args.group_by_modality_length };
}

/**
 * Training on `args.data_path`, with `args.validation_file` for evaluation. @param note called for samples that are left out, cut, or teach nothing
 * @throws NarrowsError for files that cannot be read, images that are missing, and a model, tokenizer or template that do not fit
 */
export async function llavaFileTask(
  runtime: Runtime,
  given: LlavaArguments,
  note: Note = () => {},
  signal?: AbortSignal,
  ranks?: Ranks,
): Promise<LlavaTask> {
  const start = await llavaSource(given.model ?? DEFAULT_CHAT_MODEL);
  checkBottleneckKept(start, given.method);
  const { config } = start;
  const family = familyOf(config);
  const args: LlavaArguments = family ? given : { ...given, image_aspect_ratio: aspectOf(given) };
  if (family && 'index_split' in args && args.index_split)
    throw new NarrowsError(
      `"index_split" splits image and text where LLaVA's code does, and ${start.directory} is a ${family.title}; leave it out.`,
      {
        kind: 'usage',
      },
    );
  if (family?.tokenGrid && args.isolated_turns)
    throw new NarrowsError(`"isolated_turns" counts positions, and a ${family.title} gives them by row and column; leave it out.`, {
      kind: 'usage',
    });
  const perImage = typicalImageTokens(config);
  const width = config.text_config.hidden_size;
  const reading = { imageFolder: args.image_folder, skipMissing: args.skip_missing, signal };
  const { samples, hash } = await readChatData(args.data_path!, reading, note);
  const validation = args.validation_file ? await readChatData(args.validation_file, reading, note) : undefined;
  const sampler = samplerOf(
    args,
    samples.map(sample => groupLength(sample, perImage)),
  );
  const maxSteps = stepsOf(args, new ModalitySampler(sampler).updatesPerEpoch);
  const format = formatOf(args, start);
  const reader = await ChatReader.open(format);
  const how = { template: reader.template, aspectRatio: format.aspectRatio, keepTemplate: args.method === 'projector', samples };
  const source = asTrained(start, how);
  const noEnd = noEndSentence(reader.template, reader.tokenizer);
  const unmarked = family?.around && missingMarks(reader.template, family.around, family.title);
  const isolation = args.isolated_turns ? await checkIsolated(reader, samples, args.data_path!) : [];
  if (args.isolated_turns && validation) await checkIsolated(reader, validation.samples, args.validation_file!);

  const layers = config.text_config.num_hidden_layers;
  const asked = methodOf(args, source.entries.keys(), layers, { before: source.bottleneck, naming: family?.naming });
  const plain = new FileBatches({ samples, format, sampler, method: { maxSteps, width } }, reader);
  const warnings = [
    ...source.warnings,
    ...passedOverBy(family, args, start.directory),
    ...isolation,
    ...[noEnd, unmarked].flatMap(sentence => sentence ?? []),
  ];
  const first = (k: number): Promise<Feeds> => plain.batch(k * args.gradient_accumulation_steps);
  const method = await withStreamScale(runtime, source, asked, first, w => warnings.push(w));
  const { lora, bottleneck, trainable } = method;
  const frozen = frozenParameters(source.entries, source.directory);
  const trace = (images: boolean, dropout: boolean): LlavaTrainGraph =>
    llavaTrainGraph(config, {
      ...{ trainable, frozen, images, lora, recompute: args.gradient_checkpointing },
      ...{ isolatedTurns: args.isolated_turns, weighted: args.loss_average === 'turn' },
      ...(dropout ? dropoutOption(lora) : {}),
      bottleneck: bottleneck && (p => trainingBottleneck(p, bottleneck, perImage)),
    });
  const traced = trace(true, false).parameters;
  const { gradient_accumulation_steps } = args;
  requireTrainingMemory(source.directory, traced, source.entries, { gradient_accumulation_steps, ranks });
  const options = trainingCompileOptions(source.entries);
  const parameters: Parameter[] = await startValues(traced, {
    ...{ entries: source.entries, bottleneck, width, seed: args.seed },
  });
  const graphs = new GraphCache();
  // Those of text only are compiled when a batch needs them.
  const training = (images: boolean): Promise<CompiledGraph> =>
    graphs.keep(cacheKey('training', { images }), () => compile(runtime, trace(images, true).outputs, options));
  const evaluation = (images: boolean): Promise<CompiledGraph> =>
    graphs.keep(cacheKey('evaluation', { images }), () => compile(runtime, figuresOf(trace(images, false).outputs), options));
  const settings: FileBatchSettings = { samples, format, sampler, method: { maxSteps, width, bottleneck, lora } };
  const batches = new FileBatches(settings, reader);
  const loader = new ChatLoader(settings, note);
  const feeds = (): Feeds => Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
  let tokens = 0;
  return {
    ...{ runtime, parameters, method, maxSteps, samples: samples.length, dataHash: hash },
    warnings,
    tokens: () => tokens,
    graph: {
      run: async inputs => (await training('pixel_values' in inputs)).run(inputs),
      release: () => graphs.release(),
    },
    async batch(step) {
      const batch = await loader.batch(step);
      for (const shown of batch.attention_mask.data) tokens += Number(shown);
      return batch;
    },
    follow: loader.follow,
    describeBatch: step => batches.describe(step),
    ...(validation && {
      async exams() {
        const weights = feeds();
        const noise = (rows: number, length: number): Feeds => {
          const out: Record<string, Tensor> = {};
          if (!bottleneck) return out;
          // Without noise the sample is the posterior's mean, as when answering.
          for (const layer of bottleneck.bottleneck_layers)
            out[noiseInput(layer)] = floats([rows, length, width], new Float32Array(rows * length * width));
          return { ...out, [ALPHA_INPUT]: floats([], [inferenceAlpha(bottleneck)]) };
        };
        const graphs = {
          graph: evaluation,
          feeds: (b: number, t: number) => ({ ...weights, ...noise(b, t) }),
        };
        const asked = validation.samples.slice(0, args.eval_samples);
        return [await fileExam(graphs, reader, asked, args.per_device_train_batch_size, validation.hash)];
      },
    }),
    save: directory => saveTrained(directory, { args, source, method, parameters }),
    ...(lora &&
      args.method === 'lora' &&
      args.merge_lora && { finish: (directory: string) => saveMerged(directory, { args, source, method, parameters }) }),
    open: directory => openTrained(directory, method, source.config),
    async close() {
      await loader.close();
      await graphs.release();
    },
  };
}

/** Outputs without gradients: `ce`, and what a bottleneck logs. */
const figuresOf = (outputs: LlavaTrainGraph['outputs']): LlavaTrainGraph['outputs'] =>
  Object.fromEntries(Object.entries(outputs).filter(([name]) => name !== 'loss' && !name.startsWith('grad.')));
