/** @file `narrows/training`: training of CLIPs and LLaVAs, the Gaussian bottleneck as a part of one's own graph, optimisers, experiments. */
export { type BottleneckConfig, bottleneckSchema } from '../bottleneck/gaussian/config.ts';
export { bottleneckTensors, gaussianBottleneck, initialBottleneck } from '../bottleneck/gaussian/module.ts';
export { type BottleneckPenalty, bottleneckPenalty } from '../bottleneck/gaussian/penalty.ts';
export { loadBottleneckLlava } from '../bottleneck/gaussian/pretrained.ts';
export { bottleneckNoise, type TrainingBottleneck, trainingBottleneck } from '../bottleneck/gaussian/train.ts';
export type { ExperimentHooks } from '../experiments/vittle-scenes/hooks.ts';
export { runExperiment } from '../experiments/vittle-scenes/run.ts';
export { type ExperimentSettings, experimentSchema } from '../experiments/vittle-scenes/settings.ts';
export { AdamW, type AdamWOptions, type Optimizer, type Parameter, type ParameterGroup } from '../optim/adamw.ts';
export { Muon, type MuonOptions } from '../optim/muon.ts';
export { SCHEDULES, type ScheduleName, scheduleFactor } from '../optim/schedule.ts';
export { type ClipTrainingArguments, clipTrainingSchema } from '../tuning/clip/arguments.ts';
export { type TrainClipOptions, type TrainClipResult, trainClip } from '../tuning/clip/train.ts';
export { type LlavaArguments, projectorTrainingSchema, tuneTrainingSchema } from '../tuning/llava/arguments.ts';
export { PRESETS, type Preset, withPreset } from '../tuning/llava/presets.ts';
export { type TrainLlavaOptions, trainLlava } from '../tuning/llava/train.ts';
export type { RunResult } from '../tuning/run.ts';
