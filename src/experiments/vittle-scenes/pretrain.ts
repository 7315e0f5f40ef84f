/**
 * @file The start that an experiment pre-trains where there is none yet: stages on patches and on existence where the settings ask
 * for them, then conversations.
 */
import { bundledModels } from '../../models/bundled.ts';
import { access } from '../../node/disk.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { Progress } from '../../node/progress.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { type TrainingArguments, trainingArgumentsSchema } from '../../tuning/arguments.ts';
import type { DecoderStart } from '../../tuning/llava/decoder-start.ts';
import { PATCH_STAGE_LOSS, type PatchLossSettings } from '../../tuning/llava/patch-loss.ts';
import { PATCH_STAGE, patchStageTask, withTower } from '../../tuning/llava/patch-stage.ts';
import { scenePretrainTask } from '../../tuning/llava/scene-pretrain.ts';
import { MATCHING_DECODER, type SceneLlavaSource, sceneLlavaSource } from '../../tuning/llava/scene-source.ts';
import { UNFOLDED } from '../../tuning/llava/whiten-files.ts';
import { type TrainTask, train } from '../../tuning/trainer.ts';
import { type ExperimentHooks, logged } from './hooks.ts';
import type { ExperimentSettings } from './settings.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Things of a scene, at most. */
const MAX_OBJECTS = 4;

/** What remains of the loss on patches while the decoder learns: without it, answers pull patches away from their words. */
const LATER = { weight: 0.3 };

/** Of the tower's learning rate: it sees already, the projector does not. */
const TOWER_FACTOR = 0.2;

/** What the stage of existence asks. */
const EXISTENCE_ONLY = { curriculumSteps: 30, caption: 0, maxTurns: 8, tasks: ['existence'] as const };

/** Trains to the end, or goes on. @returns whether it is at its end; `save` was then called */
async function stage(
  label: string,
  task: TrainTask & { close(): Promise<void> },
  args: TrainingArguments,
  hooks: ExperimentHooks,
  save: () => Promise<void>,
): Promise<boolean> {
  let bar: Progress | undefined;
  try {
    const { finished } = await logged(args.output_dir, args.report_to, hooks, async (onStart, onLog) =>
      train(task, args, {
        signal: hooks.signal,
        progress: hooks.progress,
        onInfo: message => hooks.onResult?.(message),
        onWarn: message => hooks.onWarning?.(message),
        async onStart(step, evaluationPending) {
          await onStart(step, evaluationPending);
          bar = hooks.progress?.({ label, total: args.max_steps, unit: 'steps', start: step });
        },
        onLog,
        onStep(step, total, loss) {
          bar?.update(step, `loss ${loss.toFixed(3)}`);
          hooks.onStep?.(step, total, loss);
        },
      }),
    );
    if (finished) {
      bar?.done();
      await save();
    }
    return finished;
  } finally {
    // After its end it does nothing.
    bar?.fail();
    await task.close();
  }
}

/** What the parts of a pre-training share. */
interface Pretraining {
  readonly runtime: Runtime;
  readonly settings: ExperimentSettings;
  readonly source: SceneLlavaSource;
  readonly world: SceneWorld;
  readonly hooks: ExperimentHooks;
  /** Whose features say the whitening, where that is not `source`: the projector was trained with it. */
  readonly whitenSource?: SceneLlavaSource;
}

const whitenOf = ({ pretrain_whiten_scenes: scenes }: ExperimentSettings) => (scenes ? { scenes } : undefined);

/** What patches are asked. */
function patchQuestions({ pretrain_patch_names: amongNames, pretrain_things: things }: ExperimentSettings): PatchLossSettings {
  return { ...PATCH_STAGE_LOSS, ...(things && { position: 0, things: 1 }), ...(amongNames && { amongNames }) };
}

/** The stage on patches, of `steps` updates. @returns its directory, undefined where it was stopped */
async function patches({ runtime, settings, source, world, hooks }: Pretraining, steps: number): Promise<string | undefined> {
  const directory = `${settings.start}.patches`;
  if (await exists(join(directory, PATCH_STAGE))) return directory;
  const args = trainingArgumentsSchema.parse({
    output_dir: directory,
    max_steps: steps,
    seed: settings.pretrain_seed,
    per_device_train_batch_size: 32,
    learning_rate: 0.003,
    lr_scheduler_type: 'warmup_stable_decay',
    warmup_steps: 20,
    decay_steps: Math.round(steps / 2),
    save_steps: 250,
  });
  await using lock = await lockOutput(directory);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const task = await patchStageTask(runtime, args, {
    source,
    world,
    maxObjects: MAX_OBJECTS,
    loss: patchQuestions(settings),
    tower: settings.pretrain_tower ? TOWER_FACTOR : undefined,
    whiten: whitenOf(settings),
    evalScenes: settings.scenes,
  });
  return (await stage('Patches', task, args, hooks, () => task.save(directory))) ? directory : undefined;
}

/** How the decoder starts behind the stage on patches; undefined where no part of that is asked for. */
function decoderStart(settings: ExperimentSettings): DecoderStart | undefined {
  const { pretrain_scale: scale, pretrain_sink: sink, pretrain_mark: mark, pretrain_matching_start: match } = settings;
  if (!scale && !sink && !mark && !match) return undefined;
  return {
    ...(scale && { scale: {} }),
    ...(sink && { sink: {} }),
    ...(mark && { mark: {} }),
    ...(match && { match: {} }),
  };
}

/** What both parts of the conversations share. @param start directory of the stage on patches */
function conversations({ settings, source, world, whitenSource }: Pretraining, start: string | undefined) {
  const isolated = settings.pretrain_isolated_turns;
  return {
    ...{ source, world, whiten: whitenOf(settings), whitenSource, start, evalScenes: settings.scenes },
    patches: start === undefined ? undefined : { ...patchQuestions(settings), ...LATER },
    decoder: decoderStart(settings),
    rates: settings.pretrain_group_rates ? {} : undefined,
    chat: {
      ...{ curriculumSteps: 100, maxObjects: MAX_OBJECTS, spelled: 0.03, extra: 3, caption: 0.3, everyThing: true, maxTurns: 16 },
      ...{ patchWords: true, isolated, lossAverage: isolated ? ('turn' as const) : undefined },
    },
  };
}

/** Arguments of a stage of conversations: its own, and what all of them share. */
function conversationArguments(
  settings: ExperimentSettings,
  own: Partial<TrainingArguments> & { readonly output_dir: string },
): TrainingArguments {
  return trainingArgumentsSchema.parse({
    seed: settings.pretrain_seed,
    per_device_train_batch_size: settings.pretrain_batch_size ?? settings.batch_size,
    learning_rate: settings.pretrain_learning_rate,
    optim: 'muon',
    weight_decay: 0.01,
    save_steps: 100,
    ...own,
  });
}

/**
 * The stage of existence only, of `steps` updates of twice the scenes with half the questions, one more thing every 30 updates: a match that can
 * fail is learnt before there are easier questions to learn. The rate stays as it is, since what follows goes on with it. @returns its directory, or undefined
 */
async function existence(part: Pretraining, steps: number, start: string | undefined): Promise<string | undefined> {
  const { runtime, settings, hooks } = part;
  const directory = `${settings.start}.existence`;
  // Written last.
  if (await exists(join(directory, whitenOf(settings) ? UNFOLDED : 'model.safetensors'))) return directory;
  const args = conversationArguments(settings, {
    output_dir: directory,
    max_steps: steps,
    per_device_train_batch_size: 2 * (settings.pretrain_batch_size ?? settings.batch_size),
    lr_scheduler_type: 'constant_with_warmup',
    warmup_steps: 10,
  });
  await using lock = await lockOutput(directory);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const all = conversations(part, start);
  const task = await scenePretrainTask(runtime, args, { ...all, chat: { ...all.chat, ...EXISTENCE_ONLY } });
  return (await stage('Existence', task, args, hooks, () => task.save(directory))) ? directory : undefined;
}

/**
 * The last stage, of `steps` updates at a rate that falls from two thirds to 0: every scene is described and its things listed, and a mean over tokens weighs a
 * description as what it is; by a mean over answers its later words are hardly learnt. @returns false where it was stopped
 */
async function captions(part: Pretraining, steps: number, start: string | undefined): Promise<boolean> {
  const { runtime, settings, hooks } = part;
  const directory = `${settings.start}.captions`;
  const warmup = Math.min(10, Math.floor(steps / 2));
  const args = conversationArguments(settings, {
    output_dir: directory,
    max_steps: steps,
    // Other scenes than those of the stage before.
    seed: (settings.pretrain_seed ?? 0) + 1_000_003,
    learning_rate: (2 / 3) * settings.pretrain_learning_rate,
    lr_scheduler_type: 'warmup_stable_decay',
    warmup_steps: warmup,
    decay_steps: steps - warmup,
  });
  await using lock = await lockOutput(directory);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const all = conversations(part, start);
  const chat = { ...all.chat, curriculumSteps: 0, caption: 1, listing: true, lossAverage: undefined };
  const task = await scenePretrainTask(runtime, args, { ...all, from: `${settings.start}.run`, chat });
  return stage('Descriptions', task, args, hooks, () => task.saveModel(settings.start, settings.pretrain_dtype));
}

/** Pre-trains the start, or goes on with it. @returns false where it was stopped */
export async function pretrain(
  runtime: Runtime,
  settings: ExperimentSettings,
  world: SceneWorld,
  hooks: ExperimentHooks,
): Promise<boolean> {
  const known = (await bundledModels()).includes(settings.start);
  if (known || (await exists(join(settings.start, 'config.json')))) return true;
  const first = await sceneLlavaSource(settings.tower, settings.pretrain_matching_start ? MATCHING_DECODER : undefined);
  const { pretrain_patch_steps: patchSteps = 0, pretrain_existence_steps: existenceSteps = 0, pretrain_steps: steps } = settings;
  const start = patchSteps ? await patches({ runtime, settings, source: first, world, hooks }, patchSteps) : undefined;
  if (patchSteps && start === undefined) return false;
  const source = start !== undefined && settings.pretrain_tower ? await withTower(first, start) : first;
  const part: Pretraining = { runtime, settings, source, world, hooks, whitenSource: first };
  const from = existenceSteps ? await existence(part, existenceSteps, start) : undefined;
  if (existenceSteps && from === undefined) return false;
  const { pretrain_caption_steps: captionSteps } = settings;
  const directory = `${settings.start}.run`;
  const rest = settings.pretrain_whiten_scenes ? UNFOLDED : 'model.safetensors';
  if (!(captionSteps && (await exists(join(directory, rest))))) {
    const args = conversationArguments(settings, {
      output_dir: directory,
      max_steps: steps,
      lr_scheduler_type: 'warmup_stable_decay',
      warmup_steps: settings.pretrain_warmup_steps ?? 50,
      decay_steps: Math.round(steps * (settings.pretrain_fall ?? 0.2)),
    });
    await using lock = await lockOutput(directory);
    if (lock.takenOver) hooks.onResult?.(lock.takenOver);
    const all = conversations(part, start);
    // Behind the stage of existence scenes have grown already.
    const chat = from === undefined ? all.chat : { ...all.chat, curriculumSteps: 0 };
    const task = await scenePretrainTask(runtime, args, { ...all, from, chat });
    const save = () => (captionSteps ? task.save(directory) : task.saveModel(settings.start, settings.pretrain_dtype));
    if (!(await stage('Pre-training', task, args, hooks, save))) return false;
  }
  return captionSteps ? captions(part, captionSteps, start) : true;
}
