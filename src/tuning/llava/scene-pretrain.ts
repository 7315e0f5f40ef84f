/**
 * @file Pre-training of the small LLaVA: projector and decoder from scratch over the frozen tower of a CLIP, on dense conversations about
 * scenes. It stands for both what a language model brings and LLaVA's first stage.
 */
import { type CompiledGraph, compile, crossEntropy, input, linear, mul, rmsNorm, type Value } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { frozenParameters, type Parameters, trainableParameters } from '../../nn/parameters.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { floats } from '../../tensor/tensor.ts';
import type { TrainingArguments } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { llavaTrainGraph } from './graph.ts';
import { initialiseLlava } from './initialise.ts';
import { saveLlava } from './save.ts';
import { type SceneChatSettings, SceneUpdates, updateSettings } from './scene-batch.ts';
import { examGraph, rowsExam, sceneExam } from './scene-eval.ts';
import { readTensors, type SceneLlavaSource } from './scene-source.ts';
import { accuracies, compileTower, encodeImages, examRows } from './scene-task.ts';
import { updateBatch } from './update-batch.ts';
import { measureWhitening, type WhitenSettings, whitened } from './whiten.ts';
import { folded, openPretrained, saveUnfolded } from './whiten-files.ts';

/** Seed of the scenes that training is watched on. */
const WATCH_SEED = 3_000_017;

/** Weight of the loss that puts projected patches where the words are. */
const ALIGNMENT = 0.5;

/** Cross-entropy of each thing's word from only its projected patch, read by the decoder's own norm and table (as a logit lens does). */
function patchAlignment(p: Parameters, { text_config: text }: LlavaConfig, patches: Value, words: Value): Value {
  const { hidden_size: width, vocab_size: vocabulary, rms_norm_eps: epsilon } = text;
  const table = p.get('model.language_model.embed_tokens.weight', [vocabulary, width]);
  const logits = linear(rmsNorm(patches, p.get('model.language_model.norm.weight', [width]), epsilon), table);
  return mul(crossEntropy(logits, words), ALIGNMENT);
}

/** What a pre-training run needs besides its arguments. */
export interface PretrainSettings {
  readonly source: SceneLlavaSource;
  readonly world: SceneWorld;
  readonly chat: Pick<
    SceneChatSettings,
    | 'curriculumSteps'
    | 'maxObjects'
    | 'spelled'
    | 'extra'
    | 'caption'
    | 'everyThing'
    | 'patchWords'
    | 'maxTurns'
    | 'isolated'
    | 'lossAverage'
  >;
  /** Scenes per evaluation. */
  readonly evalScenes: number;
  /** Feeds the projector whitened features (whiten.ts); what is saved takes the features themselves and answers alike. */
  readonly whiten?: WhitenSettings;
}

/** What only pre-training's task can do. */
export interface PretrainTask extends TrainTask {
  /** Writes the model without what only a resumed run needs (`save` writes that too). */
  saveModel(directory: string): Promise<void>;
  close(): Promise<void>;
}

/** A task for `train`; close it afterwards. */
export async function scenePretrainTask(
  runtime: Runtime,
  args: TrainingArguments,
  { source, world, chat, evalScenes, whiten }: PretrainSettings,
): Promise<PretrainTask> {
  const { config } = source;
  const whitening = whiten && (await measureWhitening(runtime, source, world, chat.maxObjects, whiten));
  const tower = frozenParameters(source.tower, 'the vision tower');
  const inTower = (name: string): boolean => name.startsWith('model.vision_tower.');
  const words = input('patch_words', ['images', imageTokens(config)], 'int32');
  const traced = llavaTrainGraph(config, {
    trainable: name => !inTower(name),
    frozen: tower,
    images: true,
    projectorInput: whitening && (features => whitened(features, whitening)),
    isolatedTurns: chat.isolated,
    weighted: chat.lossAverage === 'turn',
    auxiliary: chat.patchWords ? (p, { imageFeatures }) => patchAlignment(p, config, imageFeatures!, words) : undefined,
  });
  const parameters = initialiseLlava(traced.parameters, args.seed);
  const graph = await compile(runtime, traced.outputs);
  const exam = sceneExam(world, config.vision_config.image_size, WATCH_SEED, evalScenes, { maxObjects: chat.maxObjects });
  const rows = examRows(exam, config);
  const towerGraph = await compileTower(runtime, source);
  const features = await encodeImages(towerGraph, source, exam.images);
  await towerGraph.release();
  let examiner: CompiledGraph | undefined;
  const { imageMean, imageStd } = source;
  const settings = { ...chat, seed: args.seed, batchSize: args.per_device_train_batch_size, imageMean, imageStd };
  const scenes = new SceneUpdates(world, config, settings, args.gradient_accumulation_steps);
  const saveModel = async (directory: string): Promise<void> => {
    const trained = folded(parameters, whitening).map(p => [p.name, floats(p.shape, p.data)] as const);
    const said = { ...args, ...chat, whiten, output_dir: undefined };
    await saveLlava(directory, [...(await readTensors(source.tower)), ...trained], {
      config,
      files: new Map([...source.files, ['training_args.json', `${JSON.stringify(said, null, 2)}\n`]]),
      layout: 'new',
    });
  };
  return {
    runtime,
    parameters,
    graph,
    saveModel,
    open: directory => openPretrained(directory, whitening !== undefined),
    batch: step => updateBatch(scenes, updateSettings(args, config), step),
    async exams() {
      examiner ??= await compile(runtime, examGraph(trainableParameters(), config));
      const feeds = Object.fromEntries(folded(parameters, whitening).map(p => [p.name, floats(p.shape, p.data)]));
      const how = { graph: examiner, config, rows, features, feeds };
      return [rowsExam('the scenes', `${WATCH_SEED}/${evalScenes}`, how, result => accuracies(exam, result))];
    },
    async save(directory) {
      await saveModel(directory);
      if (whitening) await saveUnfolded(directory, parameters);
    },
    async close() {
      await graph.release();
      await examiner?.release();
    },
  };
}
