/**
 * @file Pre-training of the small LLaVA: projector and decoder from scratch over the frozen tower of a CLIP, on dense conversations about
 * scenes. It stands for both what a language model brings and LLaVA's first stage.
 */
import { floatsToHalves } from '../../checkpoints/half.ts';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import { frozenParameters, trainableParameters } from '../../nn/parameters.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import type { TrainingArguments } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { type DecoderStart, startDecoder } from './decoder-start.ts';
import { llavaTrainGraph } from './graph.ts';
import { initialiseLlava } from './initialise.ts';
import { type PatchLossSettings, patchLoss, thingsAmplitude } from './patch-loss.ts';
import { measurePatchRms } from './patch-scale.ts';
import { startFromPatches } from './patch-stage.ts';
import { type PretrainRates, pretrainGroups } from './pretrain-rates.ts';
import { saveLlava } from './save.ts';
import { type SceneChatSettings, SceneUpdates, updateSettings } from './scene-batch.ts';
import { examGraph, rowsExam, sceneExam } from './scene-eval.ts';
import { readTensors, type SceneLlavaSource } from './scene-source.ts';
import { accuracies, compileTower, encodeImages, examRows, type TowerSource } from './scene-task.ts';
import { updateBatch } from './update-batch.ts';
import { measureWhitening, type WhitenSettings, whitened } from './whiten.ts';
import { folded, openPretrained, saveUnfolded, startFromPretrained } from './whiten-files.ts';

/** Seed of the scenes that training is watched on. */
const WATCH_SEED = 3_000_017;

/** What `patchWords` asks for: only the words of things, at a weight that leaves half of the loss to answers. */
const WORDS_ONLY: PatchLossSettings = { weight: 0.5 };

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
    | 'listing'
    | 'patchWords'
    | 'maxTurns'
    | 'tasks'
    | 'isolated'
    | 'lossAverage'
  >;
  /** Scenes per evaluation. */
  readonly evalScenes: number;
  /** Feeds the projector whitened features (whiten.ts); what is saved takes the features themselves and answers alike. */
  readonly whiten?: WhitenSettings;
  /** The tower that it is measured on, by default the source's: the one that a stage on patches began with, where that trained it. */
  readonly whitenSource?: TowerSource;
  /** Asks patches besides turns, as the stage on patches does (`patchStageTask`): what it taught stays. In place of `chat.patchWords`. */
  readonly patches?: PatchLossSettings;
  /** Directory of a finished stage on patches, with the same whitening: projector, table and final norm start from it. */
  readonly start?: string;
  /** Directory of a finished pre-training of the same shape and whitening, to go on from with a new optimiser; in place of `start`. */
  readonly from?: string;
  /** What the decoder starts with, after `start` and not where `from` is given; by default numbers that are small at random. */
  readonly decoder?: DecoderStart;
  /** Learning rates by groups, with their defaults for `{}`; one rate for all where this is absent. */
  readonly rates?: PretrainRates;
}

/** Types that weights may be stored in; they are trained in float32. */
export type StoredType = 'float32' | 'float16';

/** What only pre-training's task can do. */
export interface PretrainTask extends TrainTask {
  /** Writes the model without what only a resumed run needs (`save` writes that too). @param dtype of the stored weights; float32 by default */
  saveModel(directory: string, dtype?: StoredType): Promise<void>;
  close(): Promise<void>;
}

const asHalf = ([name, { shape, data }]: readonly [string, FloatTensor]): [string, Tensor] => [
  name,
  { dtype: 'float16', shape, data: floatsToHalves(data as Float32Array) },
];

/** A task for `train`; close it afterwards. */
export async function scenePretrainTask(runtime: Runtime, args: TrainingArguments, settings: PretrainSettings): Promise<PretrainTask> {
  const { source, world, chat, evalScenes, whiten, start, from, decoder, rates } = settings;
  const { config } = source;
  const patches = settings.patches ?? (chat.patchWords ? WORDS_ONLY : undefined);
  const whitening = whiten && (await measureWhitening(runtime, settings.whitenSource ?? source, world, chat.maxObjects, whiten));
  const tower = frozenParameters(source.tower, 'the vision tower');
  const inTower = (name: string): boolean => name.startsWith('model.vision_tower.');
  const traced = llavaTrainGraph(config, {
    trainable: name => !inTower(name),
    frozen: tower,
    images: true,
    projectorInput: whitening && (features => whitened(features, whitening)),
    isolatedTurns: chat.isolated,
    weighted: chat.lossAverage === 'turn',
    auxiliary: patches && ((p, { imageFeatures }) => patchLoss(p, config, imageFeatures!, patches).loss),
  });
  const parameters = initialiseLlava(traced.parameters, args.seed);
  if (from !== undefined) await startFromPretrained(from, parameters, whitening !== undefined);
  else if (start !== undefined) await startFromPatches(start, parameters, whiten, source.tower);
  if (decoder && from === undefined) {
    const scaled = { source, world, maxObjects: chat.maxObjects, parameters, whitening };
    startDecoder(parameters, config, decoder, {
      seed: args.seed,
      patchRms: decoder.scale && (await measurePatchRms(runtime, scaled)),
    });
  }
  const groups = rates && pretrainGroups(config, rates, decoder?.scale && parameters);
  const graph = await compile(runtime, traced.outputs);
  const exam = sceneExam(world, config.vision_config.image_size, WATCH_SEED, evalScenes, { maxObjects: chat.maxObjects });
  const rows = examRows(exam, config);
  const towerGraph = await compileTower(runtime, source);
  const features = await encodeImages(towerGraph, source, exam.images);
  await towerGraph.release();
  let examiner: CompiledGraph | undefined;
  const { imageMean, imageStd } = source;
  const asked = { patchWords: patches !== undefined, patchColors: Boolean(patches?.background), patchThings: thingsAmplitude(patches) };
  const drawn = { ...chat, ...asked, seed: args.seed, batchSize: args.per_device_train_batch_size, imageMean, imageStd };
  const scenes = new SceneUpdates(world, config, drawn, args.gradient_accumulation_steps);
  const saveModel = async (directory: string, dtype: StoredType = 'float32'): Promise<void> => {
    const trained = folded(parameters, whitening).map(p => [p.name, floats(p.shape, p.data)] as const);
    const said = { ...args, ...chat, whiten, patches: settings.patches, start, from, decoder, rates, output_dir: undefined };
    const all = [...(await readTensors(source.tower)), ...trained];
    await saveLlava(directory, dtype === 'float16' ? all.map(asHalf) : all, {
      config: { ...config, dtype },
      files: new Map([...source.files, ['training_args.json', `${JSON.stringify(said, null, 2)}\n`]]),
      layout: 'new',
    });
  };
  return {
    runtime,
    parameters,
    groups,
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
