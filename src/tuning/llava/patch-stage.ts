/**
 * @file The first stage of a small LLaVA's pre-training: projector, table of words and final norm, without the decoder's blocks, so that patches
 * lie where their words are and say where they stand (`patchLoss`). Half a minute of it spares the decoder from learning to see by answers only.
 */
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { type CompiledGraph, compile, grad } from '../../graph/index.ts';
import { pixelInput } from '../../models/llava/files.ts';
import { projectFeatures, towerFeatures } from '../../models/llava/forward.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { drawScene } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { TrainingArguments } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { partlyTrained } from './graph.ts';
import { initialiseLlava } from './initialise.ts';
import { patchExam } from './patch-exam.ts';
import { PatchLabels } from './patch-labels.ts';
import { PATCH_STAGE_LOSS, type PatchLossSettings, patchLoss, readPatches, thingsAmplitude } from './patch-loss.ts';
import { writePixels } from './scene-batch.ts';
import type { SceneLlavaSource } from './scene-source.ts';
import type { TowerSource } from './scene-task.ts';
import { measureWhitening, type WhitenSettings, whitened } from './whiten.ts';

/** File of what the stage trained, by the names of the model. */
export const PATCH_STAGE = 'patch_stage.safetensors';

/** Seed of the scenes that the stage is watched on. */
const WATCH_SEED = 6_000_011;
/** Scenes of a batch of the evaluation. */
const EXAM_BATCH = 32;

/** What the stage needs besides its arguments. */
export interface PatchStageSettings {
  readonly source: SceneLlavaSource;
  readonly world: SceneWorld;
  /** Things of a scene, at most: as many as later, since a patch is the same among few or many. */
  readonly maxObjects: number;
  /** By default the words of things, a fifth of the weight for backgrounds, and places. */
  readonly loss?: PatchLossSettings;
  /** As the pre-training that goes on from here has it: the projector's first layer is one of whitened features, or not. */
  readonly whiten?: WhitenSettings;
  /** Scenes per evaluation; none by default. */
  readonly evalScenes?: number;
  /**
   * Trains the tower too, at so many times the learning rate, from the weights that the source has; frozen by default. What goes on from
   * there takes its tower (`withTower`), and its whitening from the source as it was.
   */
  readonly tower?: number;
}

/** What a tower has and a LLaVA does not read. */
const UNUSED = /\.post_layernorm\./;

const inTower = (name: string): boolean => name.startsWith('model.vision_tower.');

/** Pixels and labels of scenes. @param step of the stream, whose samples they are */
function patchBatch(settings: PatchStageSettings, stream: RandomStream, step: number, count: number): Feeds {
  const { source, world, maxObjects, loss = PATCH_STAGE_LOSS } = settings;
  const size = source.config.vision_config.image_size;
  const pixels = new Float32Array(count * 3 * size * size);
  const labels = new PatchLabels(count, source.config, thingsAmplitude(loss));
  for (let b = 0; b < count; b++) {
    const scene = drawScene(world, { width: size, height: size, minObjects: 1, maxObjects }, stream.reader(step, b));
    labels.set(b, scene);
    writePixels(scene, source.imageMean, source.imageStd, pixels, b * 3 * size * size);
  }
  return { pixel_values: floats([count, 3, size, size], pixels), ...labels.feeds(true) };
}

/** A task for `train`; close it afterwards. Its figures of an evaluation are those of `patchExam`. */
export async function patchStageTask(
  runtime: Runtime,
  args: TrainingArguments,
  settings: PatchStageSettings,
): Promise<TrainTask & { close(): Promise<void> }> {
  const { source, world, maxObjects, whiten, loss: asked = PATCH_STAGE_LOSS, evalScenes = 0, tower: factor } = settings;
  const { config } = source;
  const whitening = whiten && (await measureWhitening(runtime, source, world, maxObjects, whiten));
  const { model, trained } = partlyTrained({
    trainable: name => factor !== undefined || !inTower(name),
    frozen: frozenParameters(source.tower, 'the vision tower'),
  });
  const tower = towerFeatures(model, config, pixelInput(config));
  const patches = projectFeatures(model, config, whitening ? whitened(tower, whitening) : tower);
  const { loss, terms } = patchLoss(model, config, patches, asked);
  const names = [...trained.keys()];
  const gradients = grad(loss, [...trained.values()]);
  const graph = await compile(runtime, { loss, ...terms, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i]])) });
  const parameters = initialiseLlava(trained, args.seed);
  for (const { name, data } of parameters) if (inTower(name)) data.set(await readFloats(source.tower.get(name)!));
  const weights = (): Feeds => Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
  const scenes = new RandomStream(args.seed, 'patch.scenes');
  let examiner: CompiledGraph | undefined;
  return {
    runtime,
    parameters,
    groups: factor === undefined ? undefined : [{ matches: inTower, factor }],
    graph,
    async batch(step) {
      const { patch_colors, ...batch } = patchBatch(settings, scenes, step, args.per_device_train_batch_size);
      return asked.background ? { ...batch, patch_colors } : batch;
    },
    ...(evalScenes > 0 && {
      async exams() {
        const { logits, places, things } = readPatches(model, config, patches);
        examiner ??= await compile(runtime, { logits, places: places(), ...(asked.things ? { things: things() } : {}) });
        const watched = new RandomStream(WATCH_SEED, 'patch.scenes');
        const batches = Array.from({ length: Math.ceil(evalScenes / EXAM_BATCH) }, (_, i) => ({
          key: `${WATCH_SEED}/${i}`,
          feeds: patchBatch(settings, watched, i, Math.min(EXAM_BATCH, evalScenes - i * EXAM_BATCH)),
        }));
        return [patchExam(config, batches, { graph: examiner, weights: weights() }, asked.amplitude)];
      },
    }),
    async save(directory) {
      await writeSafetensors(
        join(directory, PATCH_STAGE),
        parameters.map(p => [p.name, floats(p.shape, p.data)] as const),
        { whiten: whitenText(whiten) },
      );
      const said = { ...args, maxObjects, loss: asked, whiten, tower: factor, output_dir: undefined };
      await writeFileAtomic(join(directory, 'training_args.json'), `${JSON.stringify(said, null, 2)}\n`);
    },
    open: async directory => (await openSafetensors(join(directory, PATCH_STAGE))).tensors,
    async close() {
      await graph.release();
      await examiner?.release();
    },
  };
}

const whitenText = (whiten: WhitenSettings | undefined): string => JSON.stringify(whiten ?? null);

/**
 * A source whose tower is the one that a stage with `tower` trained. @throws NarrowsError for a directory whose stage trained no tower
 */
export async function withTower<Source extends TowerSource>(source: Source, directory: string): Promise<Source> {
  const { tensors } = await openSafetensors(join(directory, PATCH_STAGE));
  const tower = new Map([...source.tower].map(([name, entry]) => [name, tensors.get(name) ?? entry]));
  const [missing] = [...source.tower.keys()].filter(name => !tensors.has(name) && !UNUSED.test(name));
  if (missing)
    throw new NarrowsError(`${directory}: the stage on patches there trained no tower ("${missing}" is missing); give it "tower".`, {
      kind: 'usage',
    });
  return { ...source, tower };
}

/**
 * Puts what the stage trained in place of fresh values. @param whiten of the pre-training that goes on @param tower its tower
 * @throws NarrowsError for a directory without the stage's file, of another shape, of another whitening or tower
 */
export async function startFromPatches(
  directory: string,
  parameters: readonly Parameter[],
  whiten: WhitenSettings | undefined,
  tower: ReadonlyMap<string, TensorEntry>,
): Promise<void> {
  const { tensors, metadata } = await openSafetensors(join(directory, PATCH_STAGE));
  if (metadata.whiten !== whitenText(whiten))
    throw new NarrowsError(
      `${directory} was trained with "whiten" ${metadata.whiten}, but the pre-training has ${whitenText(whiten)}; give both the same.`,
      { kind: 'usage' },
    );
  for (const [name, entry] of tensors) {
    if (inTower(name)) {
      if (tower.get(name)?.file === entry.file) continue;
      throw new NarrowsError(
        `${directory} was trained with a tower of its own, but the pre-training has another one; take it by withTower.`,
        {
          kind: 'usage',
        },
      );
    }
    const parameter = parameters.find(p => p.name === name);
    if (parameter?.shape.join() !== entry.shape.join())
      throw new NarrowsError(`${directory}: the tensor "${name}" of shape [${entry.shape}] does not fit the model that is pre-trained.`);
    parameter.data.set(await readFloats(entry));
  }
}
