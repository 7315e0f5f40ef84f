/**
 * @file Tuning a LLaVA on conversations about scenes, by any method: all of projector and decoder, adapters, or with a Gaussian bottleneck.
 * The tower stays as it is.
 */
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { inferenceTap } from '../../bottleneck/gaussian/llava.ts';
import { trainingBottleneck } from '../../bottleneck/gaussian/train.ts';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { floats } from '../../tensor/tensor.ts';
import type { TrainingArguments } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { llavaTrainGraph, partlyTrained, type TrainedPart } from './graph.ts';
import { dropoutOption } from './lora-dropout.ts';
import { trainingCompileOptions } from './memory.ts';
import type { Method } from './method.ts';
import { type SceneChatSettings, SceneUpdates, updateSettings } from './scene-batch.ts';
import { examGraph } from './scene-eval.ts';
import type { LlavaSource } from './source.ts';
import { startValues } from './start-values.ts';
import { type StreamDropout, streamDropout, streamDropoutFeeds } from './stream-dropout.ts';
import { EncodedUpdates, type TowerCache } from './tower-cache.ts';
import { updateBatch } from './update-batch.ts';

/** What is tuned, and how. */
export interface SceneTuneSettings {
  readonly source: LlavaSource;
  readonly world: SceneWorld;
  readonly chat: Omit<SceneChatSettings, 'seed' | 'batchSize' | 'imageMean' | 'imageStd'>;
  readonly method: Method;
  /** Dropout while training, of a run without a bottleneck. */
  readonly dropout?: StreamDropout;
  /** Compute activations again for the gradient. */
  readonly recompute?: boolean;
  /** Features of the scenes' pictures, where they are made outside of the training graph: the tower is frozen (tower-cache.ts). */
  readonly tower?: TowerCache;
}

/** A task for `train`, and how its result answers. */
export interface SceneTuneTask extends TrainTask {
  /** That it trains, with the stream's scale. */
  readonly bottleneck?: BottleneckConfig;
  /**
   * The graph of an exam over what is trained now; `feeds` gives its weights. @param states blocks whose hidden states are wanted
   * @param isolated rows hold isolated turns
   */
  examiner(states?: readonly number[], isolated?: boolean): Promise<CompiledGraph>;
  feeds(): Feeds;
  close(): Promise<void>;
}

/** The conversations that a run is tuned on, update by update. */
export function sceneUpdates(
  args: TrainingArguments,
  { source, world, chat }: Omit<SceneTuneSettings, 'method' | 'dropout'>,
): SceneUpdates {
  const { image_mean: imageMean, image_std: imageStd } = ImageProcessor.fromConfig(source.preprocessor).config;
  const batches = { ...chat, seed: args.seed, batchSize: args.per_device_train_batch_size, imageMean, imageStd };
  return new SceneUpdates(world, source.config, batches, args.gradient_accumulation_steps);
}

/** @param save writes the model; see `TrainTask` */
export async function sceneTuneTask(
  runtime: Runtime,
  args: TrainingArguments,
  settings: SceneTuneSettings,
  save: (directory: string, parameters: readonly Parameter[]) => Promise<void>,
): Promise<SceneTuneTask> {
  const { source, method, dropout } = settings;
  const { config, entries } = source;
  const { bottleneck } = method;
  const tokens = imageTokens(config);
  const width = config.text_config.hidden_size;
  const part: TrainedPart = {
    trainable: name => method.trainable(name),
    frozen: frozenParameters(entries, source.directory),
    lora: method.lora,
  };
  const traced = llavaTrainGraph(config, {
    ...part,
    ...dropoutOption(method.lora),
    ...(settings.tower ? { images: 'features' as const, lossRows: settings.chat.lossAverage !== 'turn' } : { images: true }),
    isolatedTurns: settings.chat.isolated,
    weighted: settings.chat.lossAverage === 'turn',
    recompute: settings.recompute,
    bottleneck: bottleneck ? p => trainingBottleneck(p, bottleneck, tokens) : dropout && (() => streamDropout(dropout)),
  });
  const parameters = await startValues(traced.parameters, { entries, bottleneck, width, seed: args.seed });
  const graph = await compile(runtime, traced.outputs, trainingCompileOptions(entries));
  const drawn = sceneUpdates(args, settings);
  const scenes = settings.tower ? new EncodedUpdates(drawn, settings.tower) : drawn;
  const { lora } = method;
  const draw = { ...updateSettings(args, config), bottleneck, lora };
  return {
    runtime,
    bottleneck,
    parameters,
    graph,
    batch: async step => ({ ...(await updateBatch(scenes, draw, step)), ...(dropout && streamDropoutFeeds(args.seed, step)) }),
    examiner(states = [], isolated = false) {
      const { model, base } = partlyTrained(part);
      return compile(
        runtime,
        examGraph(model, config, bottleneck && inferenceTap({ config: bottleneck, parameters: base }, tokens), states, isolated),
      );
    },
    feeds: () => Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)])),
    save: directory => save(directory, parameters),
    close: () => graph.release(),
  };
}
