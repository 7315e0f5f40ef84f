/** @file What a run of an evaluation came to: `results.json`, and all that a report draws. */
import type { Score } from '../scorers/score.ts';
import type { Unanswered } from './answer-sets.ts';
import type { Changes } from './changes.ts';
import type { Scenario, scenarioKind } from './scenario.ts';

/** Raised when the form changes. */
export const RESULTS_SCHEMA_VERSION = 1;

/** Changes against the clean set. */
export interface AgainstClean extends Changes {
  /** p of the paired t, corrected by Holm over the scenarios of the set. */
  readonly adjusted: number;
}

/** A set under a scenario. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly kind: ReturnType<typeof scenarioKind>;
  /** By the set's first scorer. */
  readonly score: Score;
  /** By further scorers, by their names. */
  readonly others: Readonly<Record<string, Score>>;
  /** Missing where the scenario is the clean set, or the run has no clean set. */
  readonly againstClean?: AgainstClean;
  /** Questions that could not be asked or answered; why stands in `EvaluationResults.unanswered`. */
  readonly unanswered: number;
  /** Distances from the clean set, such as `rjsd_visual`, `emid`: see `narrows emi`. */
  readonly distances?: Readonly<Record<string, number>>;
}

/** A set with all its scenarios. */
export interface SetResult {
  readonly benchmark: string;
  readonly title: string;
  readonly scorer: string;
  /** The scorer's figure for the whole, and what a perfect model gets. */
  readonly primary: string;
  readonly best: number;
  readonly prompt: string;
  readonly questions: number;
  readonly clusters: number;
  readonly scenarios: readonly ScenarioResult[];
  readonly warnings: readonly string[];
}

/** A question that the model gets right clean and wrong under a shift (or wrong clean), with its answers. */
export interface WorstCase {
  readonly benchmark: string;
  readonly key: string;
  readonly text: string;
  readonly options?: readonly string[];
  readonly right: readonly string[];
  readonly clean?: { readonly raw: string; readonly correct: number };
  /** Scenarios that it is wrong under, with the answers there; the first `shown` of `wrong`. */
  readonly wrong: readonly { readonly scenario: string; readonly raw: string }[];
  readonly wrongUnder: number;
  readonly scenarios: number;
}

/** An answer as the report's search shows it. */
export interface AnswerLine {
  readonly benchmark: string;
  readonly scenario: string;
  readonly key: string;
  readonly text: string;
  readonly options?: readonly string[];
  readonly right: readonly string[];
  readonly raw: string;
  readonly value: string | null;
  readonly correct: number;
  readonly category?: string;
}

/** All of it. */
export interface EvaluationResults {
  readonly schemaVersion: typeof RESULTS_SCHEMA_VERSION;
  readonly narrows: string;
  readonly model: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly sets: readonly SetResult[];
  /** Sets of a suite that were not there, and why. */
  readonly leftOut: readonly { readonly benchmark: string; readonly reason: string }[];
  readonly unanswered: readonly Unanswered[];
  readonly worst: readonly WorstCase[];
  readonly warnings: readonly string[];
}
