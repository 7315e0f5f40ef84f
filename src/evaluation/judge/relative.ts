/** @file Relative preference: the mean mark of a model's answers over that of the references, with a standard error by pictures. */
import { mean, sum } from '../../tensor/statistics/descriptive.ts';
import { studentHalfWidth } from '../../tensor/statistics/student-t.ts';

/** Marks of one question. */
export interface MarkPair {
  readonly reference: number;
  readonly model: number;
  /** Its picture. */
  readonly cluster: string;
}

/** A score times 100 with its uncertainty. */
export interface RelativeScore {
  readonly relative: number;
  /** Means of the marks, 1–10. */
  readonly reference: number;
  readonly model: number;
  readonly n: number;
  readonly clusters: number;
  /** By pictures; NaN for fewer than two. */
  readonly clusteredStandardError: number;
  /** As if questions were independent. */
  readonly standardError: number;
  /** 95 %, Student's t with one degree of freedom less than there are pictures. */
  readonly low: number;
  readonly high: number;
}

/** Residuals e_i = (y_i - r x_i) / mean(x) of the ratio r = mean(y) / mean(x), x the reference's marks (the delta method for a ratio of means). */
function residuals(pairs: readonly MarkPair[]): { ratio: number; values: number[] } {
  const reference = mean(pairs.map(p => p.reference));
  const ratio = mean(pairs.map(p => p.model)) / reference;
  return { ratio, values: pairs.map(p => (p.model - ratio * p.reference) / reference) };
}

/** sqrt(G / (G - 1) · Σ_g (Σ_{i in g} e_i)²) / n, G clusters, n values. NaN for fewer than two clusters. */
function errorOf(values: readonly number[], clusters: readonly string[]): number {
  const totals = new Map<string, number>();
  for (const [i, value] of values.entries()) totals.set(clusters[i], (totals.get(clusters[i]) ?? 0) + value);
  const groups = totals.size;
  if (groups < 2) return Number.NaN;
  return Math.sqrt((groups / (groups - 1)) * sum([...totals.values()].map(t => t * t))) / values.length;
}

const halfWidth = (error: number, clusters: number): number => (clusters < 2 ? Number.NaN : error * studentHalfWidth(0.95, clusters - 1));

/** 100 · mean(model) / mean(reference). All NaN for no pairs, or references that all have the mark 0. */
export function relativeScore(pairs: readonly MarkPair[]): RelativeScore {
  const { ratio, values } = residuals(pairs);
  const clusters = new Set(pairs.map(p => p.cluster)).size;
  const relative = 100 * ratio;
  const clustered =
    100 *
    errorOf(
      values,
      pairs.map(p => p.cluster),
    );
  const half = halfWidth(clustered, clusters);
  return {
    relative: Number.isFinite(relative) ? relative : Number.NaN,
    reference: mean(pairs.map(p => p.reference)),
    model: mean(pairs.map(p => p.model)),
    n: pairs.length,
    clusters,
    clusteredStandardError: clustered,
    standardError: 100 * errorOf(values, [...pairs.keys()].map(String)),
    low: relative - half,
    high: relative + half,
  };
}

/** How much better one model is than another on the same questions, times 100. */
export interface RelativeDifference {
  readonly difference: number;
  readonly clusteredStandardError: number;
  readonly n: number;
  readonly clusters: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Relative preference of `a` less that of `b`, with the error of the differences of their residuals.
 * @param pairs of the same questions in the same order. @throws RangeError where the lengths differ
 */
export function relativeDifference(a: readonly MarkPair[], b: readonly MarkPair[]): RelativeDifference {
  if (a.length !== b.length) throw new RangeError(`${a.length} questions but ${b.length}.`);
  const [left, right] = [residuals(a), residuals(b)];
  const names = a.map(p => p.cluster);
  const clusters = new Set(names).size;
  const difference = 100 * (left.ratio - right.ratio);
  const error =
    100 *
    errorOf(
      left.values.map((value, i) => value - right.values[i]),
      names,
    );
  const half = halfWidth(error, clusters);
  return { difference, clusteredStandardError: error, n: a.length, clusters, low: difference - half, high: difference + half };
}
