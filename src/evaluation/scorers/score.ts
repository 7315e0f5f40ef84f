/** @file The whole of scoring: answers joined to questions, read, summed up, with an interval. What `narrows evaluate --json` prints. */
import type { Figures } from './scorer.ts';

/** A score of one set of answers by one scorer. */
export interface Score {
  readonly benchmark: string;
  readonly scorer: string;
  /** Questions that count in the figures: those with an answer, and those without one where the scorer takes them for wrong. */
  readonly n: number;
  /** Questions without an answer. */
  readonly missing: number;
  /** Answers that were given more than once: the first counts, as is said. */
  readonly duplicates: number;
  /** Answers to no question of the set. */
  readonly unknown: number;
  /** NaN (null in JSON) where a figure is not defined. */
  readonly metrics: Figures;
  readonly byCategory: Readonly<Record<string, Figures>>;
  readonly bySplit?: Readonly<Record<string, Figures>>;
  /** 95 % interval of the primary metric by a bootstrap over clusters (pictures); NaN with fewer than two clusters. */
  readonly interval: { readonly metric: string; readonly low: number; readonly high: number; readonly clusters: number };
  readonly warnings: readonly string[];
}
