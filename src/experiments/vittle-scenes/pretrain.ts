/** @file The start that an experiment pre-trains where there is none yet: a stage on patches where the settings ask for it, then conversations. */
import { bundledModels } from '../../models/bundled.ts';
import { access } from '../../node/disk.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { Progress } from '../../node/progress.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { type TrainingArguments, trainingArgumentsSchema } from '../../tuning/arguments.ts';
import { PATCH_STAGE_LOSS } from '../../tuning/llava/patch-loss.ts';
import { PATCH_STAGE, patchStageTask } from '../../tuning/llava/patch-stage.ts';
import { scenePretrainTask } from '../../tuning/llava/scene-pretrain.ts';
import { type SceneLlavaSource, sceneLlavaSource } from '../../tuning/llava/scene-source.ts';
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
const PATCHES_LATER = { ...PATCH_STAGE_LOSS, weight: 0.3 };

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
}

const whitenOf = ({ pretrain_whiten_scenes: scenes }: ExperimentSettings) => (scenes ? { scenes } : undefined);

/** The stage on patches, of `steps` updates. @returns its directory, undefined where it was stopped */
async function patches({ runtime, settings, source, world, hooks }: Pretraining, steps: number): Promise<string | undefined> {
  const directory = `${settings.start}.patches`;
  if (await exists(join(directory, PATCH_STAGE))) return directory;
  const args = trainingArgumentsSchema.parse({
    output_dir: directory,
    max_steps: steps,
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
    whiten: whitenOf(settings),
    evalScenes: settings.scenes,
  });
  return (await stage('Patches', task, args, hooks, () => task.save(directory))) ? directory : undefined;
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
  const source = await sceneLlavaSource(settings.tower);
  const { pretrain_patch_steps: patchSteps = 0, pretrain_isolated_turns: isolated } = settings;
  const start = patchSteps ? await patches({ runtime, settings, source, world, hooks }, patchSteps) : undefined;
  if (patchSteps && start === undefined) return false;
  const directory = `${settings.start}.run`;
  const args = trainingArgumentsSchema.parse({
    output_dir: directory,
    max_steps: settings.pretrain_steps,
    per_device_train_batch_size: settings.batch_size,
    learning_rate: settings.pretrain_learning_rate,
    lr_scheduler_type: 'warmup_stable_decay',
    warmup_steps: 50,
    decay_steps: Math.round(settings.pretrain_steps / 5),
    optim: 'muon',
    weight_decay: 0.01,
    save_steps: 100,
  });
  await using lock = await lockOutput(directory);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const task = await scenePretrainTask(runtime, args, {
    ...{ source, world, whiten: whitenOf(settings), start, evalScenes: settings.scenes },
    patches: patchSteps ? PATCHES_LATER : undefined,
    chat: {
      ...{ curriculumSteps: 100, maxObjects: MAX_OBJECTS, spelled: 0.03, extra: 3, caption: 0.3, everyThing: true, maxTurns: 16 },
      ...{ patchWords: true, isolated, lossAverage: isolated ? 'turn' : undefined },
    },
  });
  return stage('Pre-training', task, args, hooks, () => task.saveModel(settings.start));
}
