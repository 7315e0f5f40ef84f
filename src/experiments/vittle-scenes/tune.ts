/** @file One tuning run of the Vittle experiment: a condition and a seed, from the common start; resumed where it stopped. */

import { writeSafetensors } from '../../checkpoints/write.ts';
import { join } from '../../node/paths.ts';
import { AdamW, type Parameter } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { floats } from '../../tensor/tensor.ts';
import { type TrainingArguments, trainingArgumentsSchema } from '../../tuning/arguments.ts';
import { tuneTrainingSchema } from '../../tuning/llava/arguments.ts';
import { type Method, methodOf } from '../../tuning/llava/method.ts';
import { type SceneTuneTask, sceneTuneTask } from '../../tuning/llava/scene-tune.ts';
import type { LlavaSource } from '../../tuning/llava/source.ts';
import { optimizerOptions } from '../../tuning/trainer.ts';
import type { Condition, ExperimentSettings } from './settings.ts';

/** Everything that the runs of an experiment share. */
export interface ExperimentStart {
  readonly source: LlavaSource;
  readonly world: SceneWorld;
}

/** Hyper-parameters that validation chooses among. */
export type Tunables = Pick<ExperimentSettings, 'beta' | 'alpha_end' | 'bottleneck_layer' | 'weight_decay'>;

/** What a condition trains: the method as `narrows train tune` would have it. */
export function conditionMethod(condition: Condition, { source }: ExperimentStart, settings: ExperimentSettings & Tunables): Method {
  const { beta, alpha_end, bottleneck_layer: layer, lora_r } = settings;
  const official = condition.official ? { half_log_kl: true, index_split: true, alpha_inference: 0.5 } : {};
  const args = tuneTrainingSchema.parse({
    output_dir: 'unused',
    method: condition.method,
    prior: condition.prior,
    ...{ beta_visual: beta, beta_text: beta, alpha_end, bottleneck_layer: [layer], lora_r, lora_alpha: 2 * lora_r, lora_dropout: 0 },
    ...official,
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

/** A task for `train`. */
export function conditionTask(
  runtime: Runtime,
  condition: Condition,
  args: TrainingArguments,
  start: ExperimentStart,
  settings: ExperimentSettings & Tunables,
): Promise<SceneTuneTask> {
  const chat = {
    curriculumSteps: 0,
    maxObjects: 4,
    spelled: 0,
    extra: 2,
    maxTurns: settings.max_turns,
    isolated: settings.tune_isolated_turns,
  };
  return sceneTuneTask(runtime, args, { ...start, chat, method: conditionMethod(condition, start, settings) }, saveTrained);
}

/** Only what is trained: the rest is the start's. */
const saveTrained = (directory: string, parameters: readonly Parameter[]): Promise<void> =>
  writeSafetensors(
    join(directory, 'model.safetensors'),
    parameters.map(p => [p.name, floats(p.shape, p.data)] as const),
  );
