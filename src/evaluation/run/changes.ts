/** @file Two sets of answers to the same questions: what went from right to wrong and back, by how much, and how sure that is. */

import { exactJson } from '../../system/exact-json.ts';
import { clusteredStandardError, standardDeviation, standardError } from '../../tensor/statistics/descriptive.ts';
import { mcnemarCounts } from '../../tensor/statistics/mcnemar.ts';
import { pairedT } from '../../tensor/statistics/paired-t.ts';
import { questionsNeeded, smallestEffect } from '../../tensor/statistics/power.ts';
import type { Question } from '../benchmarks/question.ts';
import type { ScoredAnswer } from '../scorers/scorer.ts';

/** Two scores of one question. */
export interface PairedScore {
  readonly key: string;
  readonly cluster: string;
  /** 0 to 1. */
  readonly a: number;
  readonly b: number;
}

/** Whether two questions of one key ask the same: two versions of a set may share keys. */
export const sameQuestion = (a: Question, b: Question): boolean =>
  a === b || exactJson([a.text, a.options, a.answers]) === exactJson([b.text, b.options, b.answers]);

/** Scores of the questions that both have an answer to and that count; under one key both must ask the same. */
export function pairedScores(a: readonly ScoredAnswer[], b: readonly ScoredAnswer[]): PairedScore[] {
  const others = new Map(b.map(row => [row.question.key, row]));
  return a.flatMap(({ question, correct }) => {
    const { key, cluster } = question;
    const other = others.get(key);
    if (!other || !sameQuestion(question, other.question) || Number.isNaN(other.correct) || Number.isNaN(correct)) return [];
    return [{ key, cluster, a: correct, b: other.correct }];
  });
}

/** How the second differs from the first. */
export interface Changes {
  /** Questions that both answered. */
  readonly n: number;
  readonly clusters: number;
  /** Share that is right, 0 to 1. */
  readonly a: number;
  readonly b: number;
  /** b - a, with its 95 % interval (Student's t over clusters); NaN bounds for a single cluster. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Of the paired t over clusters, two-sided. */
  readonly pValue: number;
  /** Questions that a has right and b wrong, and the reverse (right: at least half of the points). */
  readonly rightToWrong: number;
  readonly wrongToRight: number;
  /** Exact McNemar test of these two counts; it takes questions for independent. */
  readonly mcnemar: number;
  /** Questions that would show a difference of one point with 80 % power, as these two differ. */
  readonly questionsForOnePoint: number;
  /** The smallest difference that so many questions show with 80 % power, 0 to 1. */
  readonly smallestDifference: number;
}

const right = (score: number): boolean => score >= 0.5;

/** @throws RangeError for no pairs */
export function changesOf(pairs: readonly PairedScore[]): Changes {
  if (pairs.length === 0) throw new RangeError('There is no question that both have an answer to.');
  const [a, b] = [pairs.map(p => p.a), pairs.map(p => p.b)];
  const clusters = pairs.map(p => p.cluster);
  const t = pairedT(b, a, { clusters });
  const [rightToWrong, wrongToRight] = [
    pairs.filter(p => right(p.a) && !right(p.b)).length,
    pairs.filter(p => !right(p.a) && right(p.b)).length,
  ];
  const differences = pairs.map(p => p.b - p.a);
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const deviation = standardDeviation(differences);
  // How much more the mean varies since questions come in clusters (Kish's design effect).
  const inflation = (clusteredStandardError(differences, clusters) / standardError(differences)) ** 2;
  const designEffect = Number.isFinite(inflation) && inflation > 0 ? inflation : 1;
  const varies = deviation > 0;
  return {
    n: pairs.length,
    clusters: t.clusters,
    a: mean(a),
    b: mean(b),
    difference: mean(differences),
    low: t.low,
    high: t.high,
    pValue: t.pValue,
    rightToWrong,
    wrongToRight,
    mcnemar: mcnemarCounts(rightToWrong, wrongToRight).pValue,
    questionsForOnePoint: varies ? questionsNeeded(0.01, deviation, { designEffect }) : Number.NaN,
    smallestDifference: varies ? smallestEffect(pairs.length, deviation, { designEffect }) : Number.NaN,
  };
}
