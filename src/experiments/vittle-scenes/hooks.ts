/** @file What the experiment tells on its way, and the figures that a training within it leaves. */
import type { RankThreads } from '../../jobs/rank-threads.ts';
import type { Progress, ProgressOptions } from '../../node/progress.ts';
import { openTracker } from '../../tuning/tracking/tracker.ts';
import type { TrainerHooks } from '../../tuning/trainer.ts';

/** What `runExperiment` tells on its way. */
export interface ExperimentHooks {
  readonly signal?: AbortSignal;
  /** Only these seeds: runs may be shared out, and the folders in `runs` put together afterwards. All by default. */
  readonly onlySeeds?: readonly number[];
  /** End where the start is pre-trained; a call without it goes on from there. */
  readonly onlyStart?: boolean;
  /** Directory of the same experiment whose finished runs are taken up. */
  readonly resumeFrom?: string;
  /** Run nothing: report on what is finished (and measure its EMID, where that is asked for). */
  readonly onlyReport?: boolean;
  /** Measure EMID of the runs whose answers are kept, at the end. */
  readonly emid?: boolean;
  /** Threads of other processes that share the runs, and the engine's threads of each. Results are the same. */
  readonly crew?: { readonly threads: RankThreads; readonly numThreads: number };
  /** Makes the progress bar: one at a time, of pre-training, of the choice, and of all runs. */
  readonly progress?: (options: ProgressOptions) => Progress;
  onStep?(step: number, total: number, loss: number): void;
  onResult?(message: string): void;
  onWarning?(message: string): void;
}

type Starts = NonNullable<TrainerHooks['onStart']>;
type Logs = NonNullable<TrainerHooks['onLog']>;

/** Runs a training with its metrics.jsonl. */
export async function logged<T>(
  directory: string,
  reports: readonly string[],
  hooks: Pick<ExperimentHooks, 'onResult'>,
  run: (onStart: Starts, onLog: Logs) => Promise<T>,
): Promise<T> {
  let tracker: Awaited<ReturnType<typeof openTracker>> | undefined;
  try {
    return await run(
      async (step, evaluationPending) => {
        tracker = await openTracker(directory, { lastStep: step, evaluationPending, tensorboard: reports.includes('tensorboard') });
      },
      (step, metrics) => {
        tracker!.log(step, metrics);
        if (typeof metrics.eval_accuracy === 'number') hooks.onResult?.(`step ${step}: accuracy ${metrics.eval_accuracy.toFixed(3)}`);
      },
    );
  } finally {
    tracker?.close();
  }
}
