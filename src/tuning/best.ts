/** @file The best evaluation of a run so far, and whether the run has waited long enough for a better one. Its state is in the checkpoint. */
import { NarrowsError } from '../system/errors.ts';
import type { TrainingArguments } from './arguments.ts';
import type { TrainerState } from './checkpointing.ts';
import { isStale } from './early-stop.ts';
import type { EvaluationMetrics } from './evaluation.ts';

/** The arguments that it reads. */
export type BestArguments = Pick<
  TrainingArguments,
  'load_best_model_at_end' | 'metric_for_best_model' | 'greater_is_better' | 'early_stopping_patience' | 'early_stopping_threshold'
>;

/** Whether a run looks for its best evaluation at all. */
export const wantsBest = (args: BestArguments): boolean => args.load_best_model_at_end || args.early_stopping_patience > 0;

/** Follows one figure of the evaluations, as transformers' Trainer and its EarlyStoppingCallback do. */
export class BestEvaluation {
  private readonly key: string;
  private readonly sign: 1 | -1;
  private best: { step: number; value: number } | undefined;
  private stale: number;

  /** @param state of the checkpoint that a resumed run takes up */
  constructor(
    private readonly args: BestArguments,
    state: Partial<TrainerState> = {},
  ) {
    const { metric_for_best_model: metric, greater_is_better: greater } = args;
    this.key = metric.startsWith('eval_') ? metric : `eval_${metric}`;
    this.sign = (greater ?? !metric.endsWith('loss')) ? 1 : -1;
    const { best_global_step: step, best_metric: value } = state;
    if (step !== undefined && value !== undefined) this.best = { step, value };
    this.stale = state.stale_evaluations ?? 0;
  }

  /** Step of the best evaluation so far. */
  get step(): number | undefined {
    return this.best?.step;
  }

  /** Whether the run has waited long enough. */
  get isOver(): boolean {
    return isStale(this.stale, this.args.early_stopping_patience);
  }

  /** What a checkpoint holds of it, by transformers' names. */
  get state(): Pick<TrainerState, 'best_global_step' | 'best_metric' | 'stale_evaluations'> {
    return { ...(this.best ? { best_global_step: this.best.step, best_metric: this.best.value } : {}), stale_evaluations: this.stale };
  }

  /**
   * Takes an evaluation in. One that failed to give the figure is no better than those before.
   * @returns whether it is the best so far. @throws NarrowsError (usage) where evaluations have no such figure
   */
  take(step: number, metrics: EvaluationMetrics): boolean {
    const value = metrics[this.key];
    if (value === undefined && metrics.eval_failure !== undefined) {
      this.stale++;
      return false;
    }
    if (typeof value !== 'number')
      throw new NarrowsError(
        `"metric_for_best_model" is "${this.args.metric_for_best_model}", but the evaluation gives ${Object.keys(metrics).join(', ')}.`,
        { kind: 'usage' },
      );
    const gain = this.best ? this.sign * (value - this.best.value) : Number.isNaN(value) ? Number.NaN : Number.POSITIVE_INFINITY;
    this.stale = gain > this.args.early_stopping_threshold ? 0 : this.stale + 1;
    if (!(gain > 0)) return false;
    this.best = { step, value };
    return true;
  }
}
