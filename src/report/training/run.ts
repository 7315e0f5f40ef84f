/** @file A training run as its own files tell it: settings, figures over updates, warnings. Any run of `narrows train`, finished or not. */

import { type BottleneckConfig, parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { readFile } from '../../node/disk.ts';
import { join } from '../../node/paths.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { parsePlain } from '../../system/json-depth.ts';
import { readError } from '../../system/read-error.ts';
import { listCheckpoints } from '../../tuning/checkpointing.ts';
import { isTraining, type MetricsLine, readMetrics, warningsOf } from '../../tuning/tracking/metrics.ts';

/** What a folder of `train clip`, `train projector` or `train tune` says. */
export interface TrainingRun {
  readonly directory: string;
  /** `train tune --method vittle`, and so on; `train` where nothing says it yet. */
  readonly command: string;
  /** Arguments as stored; empty before the first checkpoint. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly bottleneck?: BottleneckConfig;
  /** Lines of training steps, and of evaluations, in order. */
  readonly steps: readonly MetricsLine[];
  readonly evaluations: readonly MetricsLine[];
  /** Updates made, as far as figures or checkpoints say. */
  readonly step: number;
  /** Updates in all, where something says it. */
  readonly maxSteps?: number;
  readonly finished: boolean;
  /** Update of the weights, where they are those of the best evaluation. */
  readonly bestStep?: number;
  /** What was assumed or ignored, what the run showed, and what of its files cannot be read. */
  readonly warnings: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** A JSON object of the folder; undefined where there is none, with a sentence where it is damaged. */
async function readObject(path: string, warn: (message: string) => void): Promise<Json | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw readError(path, error);
    return undefined;
  });
  if (text === undefined) return undefined;
  try {
    const json: unknown = parsePlain(text);
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return json as Json;
  } catch {}
  warn(`${path} is no JSON object, so what it says is missing here.`);
  return undefined;
}

/** The command that wrote such arguments. */
function commandOf(args: Json): string {
  if (Object.keys(args).length === 0) return 'train';
  if (args.method === undefined) return 'train clip';
  return args.method === 'projector' ? 'train projector' : `train tune --method ${args.method}`;
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;

/** Settings of a bottleneck; a sentence where config.json has some that cannot be read. */
function bottleneckOf(config: Json | undefined, path: string, warn: (message: string) => void): BottleneckConfig | undefined {
  const given = config?.bottleneck_config;
  if (given === undefined || given === null) return undefined;
  try {
    return parseBottleneckConfig(given, path);
  } catch (error) {
    warn(messageOf(error));
    return undefined;
  }
}

/**
 * Reads a run's folder: metrics.jsonl, and of the finished model, else of the newest checkpoint, training_args.json, trainer_state.json
 * and config.json. A run under way can be read.
 * @throws NarrowsError (usage) for a folder without figures of a run
 */
export async function readTrainingRun(directory: string): Promise<TrainingRun> {
  const lines = await readMetrics(directory);
  if (lines.length === 0)
    throw new NarrowsError(
      `${directory} holds no figures of a training run (no metrics.jsonl with lines); give the --output-dir of narrows train, after its first --logging-steps updates.`,
      { kind: 'usage' },
    );
  const said: string[] = [];
  const warn = (message: string): void => void said.push(message);
  const ended = await readObject(join(directory, 'trainer_state.json'), warn);
  const newest = (await listCheckpoints(directory)).at(-1);
  const from = ended || !newest ? directory : newest.directory;
  const args = (await readObject(join(from, 'training_args.json'), warn)) ?? {};
  const config = await readObject(join(from, 'config.json'), warn);
  if (Object.keys(args).length === 0) warn('The run has written no checkpoint yet, so its settings are not known here.');
  const steps = lines.filter(isTraining);
  const stored = Array.isArray(ended?.warnings) ? ended.warnings.map(String) : lines.flatMap(warningsOf);
  const last = Math.max(...lines.map(line => line.step), newest?.step ?? 0);
  const maxSteps = numberOf(ended?.max_steps) ?? numberOf(args.max_steps);
  return {
    ...{ directory, command: commandOf(args), args, steps, finished: ended !== undefined, maxSteps },
    bottleneck: bottleneckOf(config, join(from, 'config.json'), warn),
    evaluations: lines.filter(line => !isTraining(line)),
    step: numberOf(ended?.global_step) ?? last,
    bestStep: numberOf(ended?.best_global_step),
    warnings: [...stored, ...said],
  };
}
