/** @file One tuning run of the Vittle experiment: a condition and a seed, from the common start; resumed where it stopped. */

import { START_VARIANCE } from '../../bottleneck/gaussian/config.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { join } from '../../node/paths.ts';
import { AdamW, type Parameter } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { floats } from '../../tensor/tensor.ts';
import { type TrainingArguments, trainingArgumentsSchema } from '../../tuning/arguments.ts';
import { tuneTrainingSchema } from '../../tuning/llava/arguments.ts';
import { type Method, methodOf } from '../../tuning/llava/method.ts';
import { type SceneTuneTask, sceneTuneTask, sceneUpdates } from '../../tuning/llava/scene-tune.ts';
import type { LlavaSource } from '../../tuning/llava/source.ts';
import { dropoutRateOf } from '../../tuning/llava/stream-dropout.ts';
import { withStreamScale } from '../../tuning/llava/stream-scale.ts';
import type { TowerCache } from '../../tuning/llava/tower-cache.ts';
import { optimizerOptions } from '../../tuning/trainer.ts';
import { type Condition, passesOn } from './conditions.ts';
import { CUE_SHARE, type ExperimentSettings } from './settings.ts';

/** Everything that the runs of an experiment share. */
export interface ExperimentStart {
  readonly source: LlavaSource;
  readonly world: SceneWorld;
  /** What the frozen tower makes of the scenes: the same in all conditions of a seed. */
  readonly tower: TowerCache;
}

/** Hyper-parameters that validation chooses among. */
export type Tunables = Pick<ExperimentSettings, 'beta' | 'alpha_end' | 'bottleneck_layer' | 'weight_decay' | 'beta_pass'>;

/**
 * What a condition trains: the method as `narrows train tune` would have it. With `pass` the stream's scale is not measured yet (see
 * `withStreamScale`).
 */
export function conditionMethod(condition: Condition, { source }: ExperimentStart, settings: ExperimentSettings & Tunables): Method {
  const { alpha_end, bottleneck_layer: layer, lora_r, noise_variance: variance } = settings;
  const beta = passesOn(condition) ? (settings.beta_pass ?? settings.beta) : settings.beta;
  const args = tuneTrainingSchema.parse({
    output_dir: 'unused',
    method: condition.method,
    ...{ beta_visual: beta, beta_text: beta, alpha_end, bottleneck_layer: [layer], lora_r, lora_alpha: 2 * lora_r, lora_dropout: 0 },
    ...(variance === undefined ? {} : { noise_variance_visual: variance, noise_variance_text: variance }),
    ...condition.tune,
  });
  return methodOf(args, source.entries.keys(), source.config.text_config.num_hidden_layers);
}

/** Training arguments of a run. */
export function conditionArguments(
  condition: Condition,
  seed: number,
  settings: ExperimentSettings & Tunables,
  directory: string,
): TrainingArguments {
  return trainingArgumentsSchema.parse({
    output_dir: directory,
    max_steps: settings.tune_steps,
    per_device_train_batch_size: settings.batch_size,
    learning_rate: condition.method === 'lora' ? settings.lora_learning_rate : settings.learning_rate,
    lr_scheduler_type: 'cosine',
    warmup_steps: 0.03,
    weight_decay: condition.decay ? settings.weight_decay : 0,
    adam_beta2: 0.999,
    logging_steps: 20,
    save_steps: Math.max(50, Math.ceil(settings.tune_steps / 4)),
    save_total_limit: 1,
    seed,
  });
}

/** The optimiser of a run: what is new (adapters, bottlenecks) learns at a rate of its own, as the projector does where there are adapters. */
export function conditionOptimizer(
  condition: Condition,
  args: TrainingArguments,
  task: SceneTuneTask,
  settings: ExperimentSettings,
): AdamW {
  const { learning_rate: base, lora_learning_rate: lora, bottleneck_learning_rate: bottleneck } = settings;
  const groups =
    condition.method === 'lora'
      ? [{ matches: (name: string) => name.includes('multi_modal_projector'), factor: base / lora }]
      : [{ matches: (name: string) => name.startsWith('bottleneck.'), factor: bottleneck / base }];
  return new AdamW(task.parameters, { ...optimizerOptions(args), groups });
}

/** A task for `train`. @param onWarning told what the measurement of the stream's scale says */
export async function conditionTask(
  runtime: Runtime,
  condition: Condition,
  args: TrainingArguments,
  start: ExperimentStart,
  settings: ExperimentSettings & Tunables,
  onWarning: (message: string) => void,
): Promise<SceneTuneTask> {
  const chat = {
    curriculumSteps: 0,
    maxObjects: 4,
    spelled: 0,
    extra: 2,
    maxTurns: settings.max_turns,
    isolated: settings.tune_isolated_turns,
    instructions: condition.instructions,
    cue: settings.cue ? CUE_SHARE : undefined,
  };
  const updates = sceneUpdates(args, { ...start, chat });
  start.tower.begin(`${args.seed}`);
  const asked = conditionMethod(condition, start, settings);
  const method = await withStreamScale(runtime, start.source, asked, async k => updates.rows(k, 0), onWarning);
  const { alpha_end: alpha, noise_variance: variance = START_VARIANCE, bottleneck_layer: layer } = settings;
  const dropout = condition.dropout ? { layers: [layer], rate: dropoutRateOf(alpha, variance) } : undefined;
  return sceneTuneTask(runtime, args, { ...start, chat, method, dropout }, saveTrained);
}

/** Only what is trained: the rest is the start's. */
const saveTrained = (directory: string, parameters: readonly Parameter[]): Promise<void> =>
  writeSafetensors(
    join(directory, 'model.safetensors'),
    parameters.map(p => [p.name, floats(p.shape, p.data)] as const),
  );
