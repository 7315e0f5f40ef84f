/** @file What an exam asks and what a run gave, as plain data. */
import type { ExamGroup, ExamItem } from './exams/exam.ts';
import type { PosteriorOutcome } from './posterior.ts';

/** What an exam asks, without its pictures. */
export interface ExamFacts {
  readonly id: string;
  readonly group: ExamGroup;
  readonly items: readonly ExamItem[];
}

/** Result of one run. */
export interface RunOutcome {
  readonly condition: string;
  readonly seed: number;
  readonly outcomes: Readonly<Record<string, ExamOutcome>>;
  /** Of conditions that charge a posterior; runs of older versions have none. */
  readonly posterior?: PosteriorOutcome;
}

/** What one exam gave. */
export interface ExamOutcome {
  /** Per item `1` where the answer was exactly right. */
  readonly correct: string;
  /** Per item, thousandths: of a caption the share of its tokens that were right, of other answers all or nothing; the judge's mark, where one judges. */
  readonly tokens: readonly number[];
  /**
   * Per item the log-probability of what the model says itself, nats (see `ExamAnswers`), to the precision of `roundConfidence`. Only of exams
   * that calibration reads; runs of older versions have none.
   */
  readonly said?: readonly number[];
  /** Wrong answers in words, up to the first wrong token, by the item's number; only where a run was asked for them. */
  readonly wrong?: Readonly<Record<string, string>>;
  /** Mean log-likelihood of the right answers' tokens, nats. */
  readonly log_likelihood: number;
  /** Distances of representations from the clean exam's; cosine only where items are the same, JSD of texts only where words are shifted. */
  readonly distance: {
    readonly rjsd_visual: number;
    readonly rjsd_text?: number;
    readonly cosine_visual?: number;
    readonly cosine_text?: number;
  };
}
