/** @file `narrows train clip`: the whole run, from arguments to a model directory. */
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type Logger, silent } from '../../system/log.ts';
import { NoteRelay } from '../parallel/team.ts';
import { checkRunDirectory, drawingProgress, type RunResult, runTraining, withRuntime } from '../run.ts';
import { type ClipTrainingArguments, checkClipArguments, clipTrainingSchema } from './arguments.ts';
import { clipChestTask } from './chest-task.ts';
import { modelCard } from './model-card.ts';
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
  /** The processes that share the run (`openRanks`), each of which makes this call. Rank 0 writes. None by default. */
  readonly ranks?: Ranks;
}

/** Where a run ended. */
export type TrainClipResult = RunResult;

/** A checkpoint depends on them: another value means another run. */
const FIXED = new Set([
  ...['seed', 'per_device_train_batch_size', 'gradient_accumulation_steps', 'optim'],
  ...['image_size', 'patch_size', 'vision_hidden_size', 'vision_num_hidden_layers', 'text_hidden_size', 'text_num_hidden_layers'],
  ...[
    'projection_dim',
    'head_dim',
    'hidden_act',
    'max_seq_length',
    'scene_kind',
    'vocabulary_size',
    'tokenizer',
    'model',
    'ignore_bad',
    'distinct_captions',
    'auto_orient',
    'window',
    'frame',
  ],
]);

/**
 * Trains a CLIP on scenes or on pairs (docs/training.md) and writes a model directory in Hugging Face's format. A run that was stopped,
 * even by a kill, resumes from its newest checkpoint and ends in the same bits.
 * @throws NarrowsError for wrong arguments, data or files; nothing is half-written
 * @example
 * const args = clipTrainingSchema.parse({ output_dir: 'runs/tiny', max_steps: 2, per_device_train_batch_size: 4, eval_steps: 2, eval_samples: 8 });
 * const { output_dir, step } = await trainClip(args); // a checkpoint that transformers opens
 * console.log(output_dir, step);
 */
export async function trainClip(args: ClipTrainingArguments, options: TrainClipOptions = {}): Promise<TrainClipResult> {
  const { quiet = true, ranks } = options;
  // All ranks find the same before the first step; the person reads it once.
  const log = (ranks?.rank ?? 0) === 0 ? (options.log ?? silent) : silent;
  checkClipArguments(args);
  const defaults = clipTrainingSchema.parse({ output_dir: args.output_dir });
  for (const warning of await checkRunDirectory(args, defaults, FIXED)) log.warn(warning);
  return withRuntime(args, options, runtime => run(args, { ...options, log, quiet }, runtime));
}

async function run(
  args: ClipTrainingArguments,
  { log, quiet, signal, onProgress, ranks }: TrainClipOptions & { log: Logger; quiet: boolean },
  runtime: Runtime,
): Promise<TrainClipResult> {
  const bad = new Set<string>();
  const note = (message: string, key?: string): void => {
    if (message.startsWith('Left out')) {
      // A long list helps nobody; the number is reported at the end.
      if (bad.size >= 10 || bad.has(message)) return void bad.add(message);
      bad.add(message);
    }
    log.warn(message, key);
  };
  const notes = new NoteRelay(ranks, note);
  const task = args.train_file
    ? await clipPairTask(runtime, args, notes.note, ranks)
    : args.scene_kind === 'chest'
      ? await clipChestTask(runtime, args, ranks)
      : await clipSceneTask(runtime, args, { onProgress: drawingProgress(quiet || (ranks?.rank ?? 0) > 0), signal, ranks });
  return runTraining(task, args, {
    log,
    quiet,
    signal,
    onProgress,
    ranks,
    notes,
    onEnd() {
      if (bad.size) log.warn(`${bad.size} pairs were left out because they cannot be read.`);
    },
    card(metrics) {
      const count = task.parameters.reduce((sum, p) => sum + p.data.length, 0);
      return modelCard(args, count, metrics);
    },
  });
}
