/** @file `narrows/evaluation`: metrics of attributions, whole comparisons, ROAR, distances of representations, and the statistics of tables. */
export { additiveGame, type Game } from '../attribution/game.ts';
export {
  foretells,
  foretellsMore,
  type Grounding,
  groundingOf,
  type ScoredAnswer as GroundedAnswer,
} from '../evaluation/answers/grounding.ts';
export {
  type MapMovement,
  type MassMovement,
  type MovedMap,
  mapAgreement,
  mapMovement,
  movedMap,
} from '../evaluation/answers/map-movement.ts';
export { RandomisedAnswers } from '../evaluation/answers/randomised.ts';
export { type AskedQuestion, answerSample, gamesOfQuestion, type SampleOptions } from '../evaluation/answers/sample.ts';
export type { Benchmark, LoadOptions, PromptStyle, PromptText } from '../evaluation/benchmarks/benchmark.ts';
export type { AnswerKind, AnswerRecord, Question, QuestionPicture, QuestionSet } from '../evaluation/benchmarks/question.ts';
export { type BenchmarkName, benchmarks, findBenchmark } from '../evaluation/benchmarks/registry.ts';
export type { SceneTruth } from '../evaluation/benchmarks/scenes/truth.ts';
export { type ComparisonRun, runComparison } from '../evaluation/compare/comparison.ts';
export { openSource } from '../evaluation/compare/data/open.ts';
export type { CompareSample, DataSpec, Mask, SampleSource } from '../evaluation/compare/data/sample.ts';
export { styleGroups } from '../evaluation/compare/data/scenes.ts';
export { TRUTH_FORMS, truthForm } from '../evaluation/compare/data/truth/registry.ts';
export type { ComparisonResults, ResultCase, ResultMap, ResultMethod, ResultMetric, ResultPart } from '../evaluation/compare/results.ts';
export type { Choice, CompareSpec } from '../evaluation/compare/settings.ts';
export { meanPairedCosineDistance, pairedCosineDistance } from '../evaluation/distances/paired-cosine.ts';
export { type RjsdOptions, representationJsd } from '../evaluation/distances/rjsd.ts';
export { type ClubHeads, type ClubSizes, clubBound, clubHeads, clubLikelihood, clubTerms } from '../evaluation/emi/club.ts';
export { type ClubEstimator, type ClubForm, freshClub, mutualInformation } from '../evaluation/emi/club-estimator.ts';
export { loadClub, saveClub } from '../evaluation/emi/club-file.ts';
export { type ClubTraining, trainClub } from '../evaluation/emi/club-train.ts';
export { type Joining, jointEmbedding } from '../evaluation/emi/embedding.ts';
export {
  type EmbeddedSet,
  type Emi,
  type EmidDivergences,
  emidBound,
  emidDivergences,
  emidOf,
  emiOf,
} from '../evaluation/emi/emid.ts';
export { type EmiEncoders, openEmiEncoders } from '../evaluation/emi/encoders.ts';
export { type EstimatorOptions, fitEstimators } from '../evaluation/emi/estimate.ts';
export { type EmiOptions, measureEmi } from '../evaluation/emi/measure-emi.ts';
export { type EmiFiles, readEmiFiles } from '../evaluation/emi/read-files.ts';
export { type EmiRunOptions, readEmiRun } from '../evaluation/emi/read-run.ts';
export { type EmidResult, type EmiResults, type EmiSetResult, emiCsv } from '../evaluation/emi/results.ts';
export type { EmiItem, EmiPicture, EmiSet } from '../evaluation/emi/sets.ts';
export { type Extensions, loadExtensions } from '../evaluation/extensions.ts';
export { type Agreement, agreementOf } from '../evaluation/judge/agreement.ts';
export { type AskOptions, askJudge } from '../evaluation/judge/ask.ts';
export type { JudgeItem, Order } from '../evaluation/judge/item.ts';
export { judgeMessages } from '../evaluation/judge/prompt.ts';
export { type RelativeScore, relativeDifference, relativeScore } from '../evaluation/judge/relative.ts';
export { type JudgeResults, judgeResults } from '../evaluation/judge/results.ts';
export { type Review, readReviews, writeReviews } from '../evaluation/judge/review.ts';
export { OWN_RULES, type Rules, readRules } from '../evaluation/judge/rules.ts';
export { defineMetric, type MetricDefinition } from '../evaluation/metrics/define-metric.ts';
export {
  CATEGORIES,
  type Category,
  type Metric,
  type MetricEntry,
  type MetricSample,
  type MetricSummary,
} from '../evaluation/metrics/metric.ts';
export { createMetric, findMetric, type MetricName, type MetricOptions, metrics, registerMetric } from '../evaluation/metrics/registry.ts';
export { type AuditItem, type AuditList, auditItems } from '../evaluation/radiology/items.ts';
export type { AuditRecord } from '../evaluation/radiology/record.ts';
export { type AuditOutcome, type AuditRun, runAudit } from '../evaluation/radiology/run.ts';
export { type AuditFigure, type AuditSummary, summarise } from '../evaluation/radiology/summary.ts';
export { type Verdict as AuditVerdict, verdicts } from '../evaluation/radiology/verdict.ts';
export { corruptCaption, corruptImage } from '../evaluation/roar/corrupt.ts';
export { type RoarResults, relativeDrop, roarMarkdown } from '../evaluation/roar/report.ts';
export { type AnswerSetsOptions, type AnswerSetsResult, answerSets, type Unanswered } from '../evaluation/run/answer-sets.ts';
export type { Answer, Answered, Answerer, AskedPicture, AskedTurn } from '../evaluation/run/answerer.ts';
export type { SetToAsk } from '../evaluation/run/asked-set.ts';
export type { AskedOf } from '../evaluation/run/asking.ts';
export { answerLines, assembleRun, type RunParts } from '../evaluation/run/assemble.ts';
export { type Changes, changesOf, type PairedScore, pairedScores } from '../evaluation/run/changes.ts';
export {
  type ComparedScenario,
  compareRuns,
  type DropDifference,
  type RunsComparison,
  type ScoredRun,
  type ScoredScenario,
  type ScoredSet,
  type Verdict as ComparisonVerdict,
} from '../evaluation/run/compare-runs.ts';
export { EndpointAnswerer, type EndpointAnswererOptions } from '../evaluation/run/endpoint-answerer.ts';
export { FeatureFiles } from '../evaluation/run/feature-files.ts';
export { type RunRecord, readRun, readStoredQuestions } from '../evaluation/run/folder.ts';
export { type LeftOut, type LoadSetsOptions, loadSets, type WantedSet } from '../evaluation/run/load-sets.ts';
export { LocalAnswerer, type LocalAnswererOptions } from '../evaluation/run/local-answerer.ts';
export { parseScenario } from '../evaluation/run/parse-scenarios.ts';
export type {
  AgainstClean,
  AnswerLine,
  EvaluationResults,
  ScenarioResult,
  SetResult,
  WorstCase,
} from '../evaluation/run/results.ts';
export { type AnsweredSet, type ScoredSetOfRun, scoreSet } from '../evaluation/run/score-run.ts';
export {
  type EvaluationSuite,
  findSuite as findEvaluationSuite,
  type SuiteSet,
  suites as evaluationSuites,
} from '../evaluation/run/suites.ts';
export { answerOf } from '../evaluation/scorers/answers/answer-row.ts';
export { readAnswers } from '../evaluation/scorers/answers/read-answers.ts';
export { type Joined, type JoinedAnswer, joinAnswers } from '../evaluation/scorers/join.ts';
export { type Marks, parseMarks } from '../evaluation/scorers/parse/marks.ts';
export { outcomeOf, parseVerdict, type Verdict } from '../evaluation/scorers/parse/verdict.ts';
export { findScorer, scorers } from '../evaluation/scorers/registry.ts';
export type { Score } from '../evaluation/scorers/score.ts';
export { type ScoredAnswers, type ScoreOptions, scoreAnswers, scoreJoined } from '../evaluation/scorers/score-answers.ts';
export type { Figures, Reading, ScoredAnswer, Scorer, Summary, Tally } from '../evaluation/scorers/scorer.ts';
export { wildvisionBoard, wildvisionScore } from '../evaluation/scorers/wildvision/official.ts';
export { auroc } from '../tensor/statistics/auroc.ts';
export { type BootstrapOptions, bootstrap, type Estimate } from '../tensor/statistics/bootstrap.ts';
export { type Binning, calibrationError } from '../tensor/statistics/calibration-error.ts';
export { clusterBootstrap } from '../tensor/statistics/cluster-bootstrap.ts';
export { CLUSTERED_ERRORS, type ClusteredError, millerStandardError } from '../tensor/statistics/clustered-error.ts';
export { clusteredStandardError } from '../tensor/statistics/descriptive.ts';
export { type Equivalence, equivalence, type MeasuredEffect, twoSidedP } from '../tensor/statistics/equivalence.ts';
export { holm } from '../tensor/statistics/holm.ts';
export { type McNemarOptions, type McNemarResult, mcnemar, mcnemarCounts } from '../tensor/statistics/mcnemar.ts';
export { type PairedTOptions, type PairedTResult, pairedT } from '../tensor/statistics/paired-t.ts';
export { type Correlation, correlate } from '../tensor/statistics/pearson-interval.ts';
export { signFlipTest } from '../tensor/statistics/permutation.ts';
export { differenceDeviation, type PowerOptions, powerOf, questionsNeeded, smallestEffect } from '../tensor/statistics/power.ts';
export { kendall, pearson, spearman } from '../tensor/statistics/rank.ts';
export { type RepeatStatistics, repeatStatistics } from '../tensor/statistics/repeats.ts';
export { wilcoxon } from '../tensor/statistics/wilcoxon.ts';
