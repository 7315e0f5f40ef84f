/** @file `narrows train clip`: the whole run, from arguments to a model directory. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { writeFileAtomic } from '../../system/files.ts';
import { formatNumber } from '../../system/format.ts';
import { type Logger, silent } from '../../system/log.ts';
import { createProgress, type Progress } from '../../system/progress.ts';
import { listCheckpoints, removeLeftovers, stateJson } from '../checkpointing.ts';
import { compareWithCheckpoint } from '../compatible.ts';
import { openTracker, type Tracker } from '../tracking/tracker.ts';
import { train } from '../trainer.ts';
import { type ClipTrainingArguments, checkClipArguments, clipTrainingSchema } from './arguments.ts';
import { lastEvaluation, modelCard } from './model-card.ts';
import { clipPairTask } from './pair-task.ts';
import { clipSceneTask } from './task.ts';

/** Options of `trainClip`. */
export interface TrainClipOptions {
  /** ONNX Runtime in this thread by default, with `num_threads`. */
  readonly runtime?: Runtime;
  /** Aborted: the step under way is finished, a checkpoint written, and the result says `finished: false`. */
  readonly signal?: AbortSignal;
  readonly log?: Logger;
  /** No progress display. Default true, as for any library function. */
  readonly quiet?: boolean;
  onProgress?(step: number, total: number, loss: number): void;
}

/** Where a run ended. */
export interface TrainClipResult {
  readonly output_dir: string;
  readonly step: number;
  /** False when stopped by the signal; the same call goes on from there. The command line exits with 130. */
  readonly finished: boolean;
  /** Figures of the last evaluation, keys begin with `eval_`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A checkpoint depends on them: another value means another run. */
const FIXED = new Set([
  ...['seed', 'per_device_train_batch_size', 'gradient_accumulation_steps', 'optim'],
  ...['image_size', 'patch_size', 'vision_hidden_size', 'vision_num_hidden_layers', 'text_hidden_size', 'text_num_hidden_layers'],
  ...['projection_dim', 'head_dim', 'hidden_act', 'max_seq_length', 'vocabulary_size', 'tokenizer', 'model', 'ignore_bad'],
]);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws NarrowsError (usage) where the directory belongs to something else; @returns warnings */
async function checkDirectory(args: ClipTrainingArguments): Promise<string[]> {
  const directory = args.output_dir;
  if ((await listCheckpoints(directory)).length === 0) {
    if (!(await exists(join(directory, 'model.safetensors')))) return [];
    throw new NarrowsError(`${directory} holds a model but no checkpoint to resume from; choose another output_dir.`, { kind: 'usage' });
  }
  return compareWithCheckpoint(directory, args, clipTrainingSchema.parse({ output_dir: directory }), FIXED);
}

/**
 * Trains a CLIP on scenes or on pairs (docs/training.md) and writes a model directory in Hugging Face's format. A run that was stopped,
 * even by a kill, goes on from its newest checkpoint and ends in the same bits.
 * @throws NarrowsError for wrong arguments, data or files; nothing is half-written
 */
export async function trainClip(args: ClipTrainingArguments, options: TrainClipOptions = {}): Promise<TrainClipResult> {
  const { log = silent, quiet = true, signal } = options;
  checkClipArguments(args);
  for (const warning of await checkDirectory(args)) log.warn(warning);
  const runtime = options.runtime ?? nodeRuntime({ threads: args.num_threads });
  try {
    return await run(args, { ...options, log, quiet }, runtime);
  } catch (error) {
    // Stopped before the first step: nothing is lost.
    if (signal?.aborted && error === signal.reason) return { output_dir: args.output_dir, step: 0, finished: false, metrics: {} };
    throw error;
  } finally {
    if (!options.runtime) await runtime.release();
  }
}

async function run(
  args: ClipTrainingArguments,
  { log, quiet, signal, onProgress }: TrainClipOptions & { log: Logger; quiet: boolean },
  runtime: Runtime,
): Promise<TrainClipResult> {
  let drawing: Progress | undefined;
  const onSprites = (style: string, done: number, total: number): void => {
    drawing ??= createProgress({ label: `Drawing ${style}`, total, unit: 'pictures', quiet });
    drawing.update(done);
    if (done === total) {
      drawing.done();
      drawing = undefined;
    }
  };
  const bad = new Set<string>();
  const note = (message: string, key?: string): void => {
    if (message.startsWith('Left out')) {
      // A long list helps nobody; the number is told at the end.
      if (bad.size >= 10 || bad.has(message)) return void bad.add(message);
      bad.add(message);
    }
    log.warn(message, key);
  };
  const task = args.train_file
    ? await clipPairTask(runtime, args, note)
    : await clipSceneTask(runtime, args, { onProgress: onSprites, signal });
  let tracker: Tracker | undefined;
  let progress: Progress | undefined;
  try {
    const result = await train(task, args, {
      signal,
      onWarn: message => log.warn(message),
      onResume(step, directory) {
        log.info(`Resuming from ${directory} (step ${step} of ${args.max_steps}).`);
        if (step > args.max_steps) log.warn(`The run is past "max_steps" already; the model is that of step ${step}.`);
      },
      async onStart(step) {
        tracker = await openTracker(args.output_dir, { lastStep: step, tensorboard: args.report_to.includes('tensorboard') });
        progress = createProgress({ label: 'Training', total: args.max_steps, start: step, unit: 'steps', quiet });
      },
      onLog(step, metrics) {
        tracker!.log(step, metrics);
        const scores = Object.entries(metrics).filter(([key]) => key.startsWith('eval_'));
        if (scores.length) log.info(`Step ${step}: ${scores.map(([key, v]) => `${key.slice(5)} ${formatNumber(v)}`).join(', ')}`);
      },
      onStep(step, total, loss) {
        progress!.update(step, `loss ${formatNumber(loss)}`);
        onProgress?.(step, total, loss);
      },
      onCheckpoint: directory => log.debug(`Wrote ${directory}.`),
    });
    if (result.finished) progress!.done();
    else progress!.fail();
    if (bad.size) log.warn(`${bad.size} pairs were left out because they cannot be read.`);
    const metrics = await lastEvaluation(args.output_dir);
    if (result.finished) {
      const count = task.parameters.reduce((sum, p) => sum + p.data.length, 0);
      await writeFileAtomic(join(args.output_dir, 'README.md'), modelCard(args, count, metrics));
      const state = { global_step: result.step, max_steps: args.max_steps, ...(task.dataHash ? { data: task.dataHash } : {}) };
      await writeFileAtomic(join(args.output_dir, 'trainer_state.json'), stateJson(state));
      await task.save(args.output_dir);
      await removeLeftovers(args.output_dir);
    }
    return { output_dir: args.output_dir, ...result, metrics };
  } catch (error) {
    progress?.fail();
    throw error;
  } finally {
    tracker?.close();
    await task.close();
  }
}
