/** @file `narrows train projector` and `narrows train tune`: the whole run, from arguments to a model directory. */
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { ParameterGroup } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type Logger, silent } from '../../system/log.ts';
import type { Note } from '../batch-loader.ts';
import { NoteRelay } from '../parallel/team.ts';
import { checkRunDirectory, drawingProgress, type RunResult, runTraining, withRuntime } from '../run.ts';
import type { Metrics } from '../tracking/metrics.ts';
import {
  aspectOf,
  checkLlavaArguments,
  type LlavaArguments,
  passedOver,
  projectorTrainingSchema,
  tuneTrainingSchema,
} from './arguments.ts';
import { BottleneckWatch, bottleneckStatus } from './bottleneck-watch.ts';
import { type LlavaTask, llavaFileTask } from './file-task.ts';
import { modelCard } from './model-card.ts';
import { llavaSceneTask } from './scene-chat-task.ts';

/** Options of `trainLlava`. */
export interface TrainLlavaOptions {
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

/** A checkpoint depends on them: another value means another run. */
const FIXED = new Set([
  ...['method', 'model', 'seed', 'per_device_train_batch_size', 'gradient_accumulation_steps', 'optim', 'freeze', 'skip_missing'],
  ...[
    'model_max_length',
    'image_aspect_ratio',
    'auto_orient',
    'window',
    'template',
    'group_by_modality_length',
    'prior',
    'bottleneck_layer',
    'bottleneck_init',
    'control',
  ],
  ...['lora_r', 'lora_alpha', 'lora_target_modules', 'isolated_turns', 'loss_average'],
]);

/** Samples that get a sentence each; the rest is counted. */
const LISTED = 5;

/** Tells the first samples that are cut or teach nothing, and counts all. */
class SampleNotes {
  private readonly counts = new Map<string, Set<string>>();

  constructor(private readonly log: Logger) {}

  readonly note: Note = (message, key) => {
    const kind = key?.split(' ', 1)[0];
    if (kind !== 'cut' && kind !== 'unsupervised') return this.log.warn(message, key);
    const seen = this.counts.get(kind) ?? new Set();
    if (seen.has(key!)) return;
    this.counts.set(kind, seen.add(key!));
    if (seen.size <= LISTED) this.log.warn(message, key);
  };

  /** The numbers, at the end. */
  tell({ model_max_length: most }: LlavaArguments): void {
    const [cut, unsupervised] = ['cut', 'unsupervised'].map(kind => this.counts.get(kind)?.size ?? 0);
    const samples = (n: number): string => `${n} sample${n > 1 ? 's' : ''}`;
    if (cut) this.log.warn(`${samples(cut)} had more than ${most} tokens and were cut; raise "model_max_length" to keep them whole.`);
    if (unsupervised) this.log.warn(`${samples(unsupervised)} had nothing to learn from.`);
  }
}

/** Tokens per second of the training steps only, between two lines of figures. */
class Speed {
  private began = 0;
  private seconds = 0;
  private counted = 0;
  constructor(private readonly tokens: () => number) {}

  begin(): void {
    this.began ||= performance.now();
  }

  end(): void {
    if (this.began) this.seconds += (performance.now() - this.began) / 1000;
    this.began = 0;
  }

  figures(): Record<string, number> {
    const tokens = this.tokens();
    const rate = this.seconds > 0 ? (tokens - this.counted) / this.seconds : 0;
    this.counted = tokens;
    this.seconds = 0;
    return { tokens_per_second: rate };
  }
}

/** The projector's, where it has a learning rate of its own. */
function groupsOf(args: LlavaArguments, { method }: LlavaTask): ParameterGroup[] | undefined {
  const { mm_projector_lr: rate, learning_rate: base } = args;
  if (rate === undefined || rate === base) return undefined;
  return [{ matches: method.inProjector, factor: base === 0 ? 0 : rate / base }];
}

/**
 * Trains a LLaVA on conversations (docs/training.md) and writes a model directory in Hugging Face's format, or an adapter in PEFT's. A run
 * that was stopped, even by a kill, resumes from its newest checkpoint and ends in the same bits.
 * @throws NarrowsError for wrong arguments, data or files; nothing is half-written
 */
export async function trainLlava(args: LlavaArguments, options: TrainLlavaOptions = {}): Promise<RunResult> {
  const { quiet = true, signal, onProgress, ranks } = options;
  const leads = (ranks?.rank ?? 0) === 0;
  const log = leads ? (options.log ?? silent) : silent;
  checkLlavaArguments(args);
  const schema = args.method === 'projector' ? projectorTrainingSchema : tuneTrainingSchema;
  const defaults = { method: 'projector', ...schema.parse({ output_dir: args.output_dir }) };
  // Older runs wrote the default down.
  const [now, usual] = [args, defaults].map(each => ({ ...each, image_aspect_ratio: aspectOf(each as LlavaArguments) }));
  for (const warning of await checkRunDirectory(now as LlavaArguments, usual, FIXED)) log.warn(warning);
  if (args.model === undefined) log.info(`No "model" is given: the run starts from the shipped ${DEFAULT_CHAT_MODEL}.`);
  const notes = new SampleNotes(log);
  const relay = new NoteRelay(ranks, notes.note);
  return withRuntime(args, options, async runtime => {
    const task = args.data_path
      ? await llavaFileTask(runtime, args, relay.note, signal, ranks)
      : await llavaSceneTask(runtime, args, { signal, onProgress: drawingProgress(quiet || !leads) });
    const resolved = { ...args, max_steps: task.maxSteps };
    const speed = new Speed(task.tokens);
    const { bottleneck } = task.method;
    const watch = bottleneck && new BottleneckWatch(bottleneck, task.maxSteps);
    const timed: LlavaTask = {
      ...task,
      groups: groupsOf(args, task),
      warnings: [...(task.warnings ?? []), ...passedOver(args)],
      batch(step) {
        speed.begin();
        return task.batch(step);
      },
    };
    return runTraining(timed, resolved, {
      ...{ log, quiet, signal, onProgress, ranks, notes: relay },
      afterStep: () => speed.end(),
      // Each rank counts the tokens of its own batches only.
      figures: () => (ranks ? {} : speed.figures()),
      ...(watch && { status: bottleneckStatus, watch: (step: number, metrics: Metrics) => watch.take(step, metrics) }),
      onEnd: () => notes.tell(args),
      card: metrics => modelCard(resolved, task, metrics),
    });
  });
}
