/** @file Where a training run writes its figures: `metrics.jsonl` and, next to it, TensorBoard's files. */
import { join } from '../../node/paths.ts';
import { type Metrics, MetricsFile } from './metrics.ts';
import { EventFile } from './tensorboard.ts';

/** Takes the figures of a run. */
export interface Tracker {
  /** Records metrics of a step; numbers also go to TensorBoard. @throws NarrowsError when they cannot be written. */
  log(step: number, metrics: Metrics): void;
  close(): void;
}

/** The tag of a figure in TensorBoard, as transformers' callback has it: `eval_loss` is `eval/loss`, `loss` is `train/loss`. */
export function tensorboardTag(name: string): string {
  const [, split, rest] = /^(eval|test)_(.+)$/.exec(name) ?? [];
  return split ? `${split}/${rest}` : `train/${name}`;
}

/** Options of `openTracker`. */
export interface TrackerOptions {
  /** Step of the checkpoint that a resumed run starts from; figures of later steps are dropped. */
  readonly lastStep?: number;
  /** The evaluation of `lastStep` is still to come. */
  readonly evaluationPending?: boolean;
  /** Write event files. Default true. */
  readonly tensorboard?: boolean;
}

/**
 * Opens `directory/metrics.jsonl` and a new event file in `directory/tensorboard`.
 * @throws NarrowsError when they cannot be written.
 */
export async function openTracker(directory: string, options: TrackerOptions = {}): Promise<Tracker> {
  const { lastStep, evaluationPending, tensorboard = true } = options;
  const metricsFile = await MetricsFile.open(join(directory, 'metrics.jsonl'), lastStep, evaluationPending);
  const events = tensorboard ? new EventFile(join(directory, 'tensorboard'), lastStep) : undefined;
  return {
    log(step, metrics) {
      metricsFile.write(step, metrics);
      const numbers = Object.entries(metrics).flatMap(([name, value]) =>
        typeof value === 'number' ? [[tensorboardTag(name), value] as const] : [],
      );
      if (numbers.length > 0) events?.scalars(step, Object.fromEntries(numbers));
    },
    close() {
      metricsFile.close();
      events?.close();
    },
  };
}
