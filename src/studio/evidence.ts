/** @file Comparisons and evaluations as the page shows them: what `results.json` holds, pictures as `data:` URLs, numbers that are none as null. */
import type { ComparisonResults, ResultCase, ResultMap, ResultPart } from '../evaluation/compare/results.ts';
import type { EvaluationResults } from '../evaluation/run/results.ts';
import type { MethodRow, PairedComparison } from '../report/comparison/analyse.ts';

/** A mean with its interval, in the metric's unit; null where it is not defined. */
export interface EstimateView {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** A method's row in a metric's table. */
export interface RowView extends Pick<MethodRow, 'method' | 'pairs' | 'undefinedPairs' | 'seeds' | 'partial' | 'rank' | 'best'> {
  readonly value: EstimateView;
  /** Against the reference (difference, corrected p of the sign-flip test, verdict); the reference itself has none. */
  readonly toReference?: {
    readonly difference: EstimateView;
    readonly p: number | null;
    readonly verdict: PairedComparison['verdict'];
  };
}

/** A pair of the gallery. */
export interface CaseView extends Pick<ResultCase, 'place' | 'metric' | 'pair' | 'caption' | 'grid' | 'view' | 'words'> {
  /** `data:` URL of a PNG. */
  readonly picture: string;
  readonly maps: readonly (Pick<ResultMap, 'method' | 'unit'> & {
    /** Of the metric that chose the case. */
    readonly value: number | null;
    /** Of the patches, row by row, or of the words; raw. */
    readonly values: readonly (number | null)[];
  })[];
}

/** A group of pairs in one modality. */
export interface PartView extends Pick<ResultPart, 'group' | 'modality' | 'skipped' | 'failures'> {
  /** Number of pairs. */
  readonly pairs: number;
  readonly tables: readonly { readonly metric: string; readonly best?: string; readonly rows: readonly RowView[] }[];
  /** By method: mean place over metrics, 0 best, 1 last. */
  readonly meanRank: Readonly<Record<string, number>>;
  readonly gallery: readonly CaseView[];
}

/** A comparison. */
export interface ComparisonView
  extends Pick<ComparisonResults, 'title' | 'model' | 'data' | 'seeds' | 'reference' | 'methods' | 'metrics' | 'warnings' | 'provenance'> {
  /** Of the intervals, such as 0.95, and of false findings within a metric, such as 0.05. */
  readonly level: number;
  readonly alpha: number;
  readonly parts: readonly PartView[];
}

/** An evaluation under shifts: what its `results.json` holds, as it is. */
export interface RobustnessView {
  readonly name: string;
  readonly results: EvaluationResults;
  /**
   * Pictures of the questions in `results.worst`, by place there and scenario (`clean` too): `data:` URLs of small pictures, or one sentence why
   * there are none. Empty where only a file was opened.
   */
  readonly pictures: readonly Readonly<Record<string, readonly string[] | { readonly problem: string }>>[];
}
