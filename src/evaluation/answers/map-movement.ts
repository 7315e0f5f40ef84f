/**
 * @file How far an answer's map moves under a shift, and whether that foretells an answer that breaks. The clean answer is explained on the clean
 * and on the shifted input, so that maps differ by the input and not by what is explained.
 */

import type { RandomStream } from '../../tensor/random.ts';
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';
import { clusterBootstrap } from '../../tensor/statistics/cluster-bootstrap.ts';
import { spearman } from '../../tensor/statistics/rank.ts';
import type { ScoredAnswer as Scored } from '../scorers/scorer.ts';
import { foretells } from './grounding.ts';

/**
 * Rank correlation of two maps of one picture: 1 where the shift leaves the order of all patches, near 0 where nothing is left of it. A map of
 * one value has no order: 1 where the other has none either, else 0.
 */
export function mapAgreement(clean: ArrayLike<number>, shifted: ArrayLike<number>): number {
  const flat = (map: ArrayLike<number>): boolean => Array.from(map).every(v => v === map[0]);
  const [a, b] = [flat(clean), flat(shifted)];
  return a || b ? Number(a && b) : spearman(clean, shifted);
}

/** A scenario's maps against the clean ones. */
export interface MapMovement {
  /** Mean rank correlation with the clean map, drawn over pictures. */
  readonly correlation: Estimate;
  readonly n: number;
  /** Of answers that are right clean: area under the curve by which an unmoved map tells answers that stay right from those that break. */
  readonly auc?: Estimate;
  readonly rightClean: number;
  readonly broken: number;
}

/** Right: at least half of the points. */
const isRight = (correct: number): boolean => correct >= 0.5;

/**
 * @param agreement by question's key @param clean scored answers of the clean set @param shifted the same under the shift
 * @returns undefined where no question has a map
 */
export function mapMovement(
  agreement: ReadonlyMap<string, number>,
  clean: readonly Scored[],
  shifted: readonly Scored[],
  random: RandomStream,
): MapMovement | undefined {
  const before = new Map(clean.map(row => [row.question.key, row]));
  const known = shifted.flatMap(row => {
    const value = agreement.get(row.question.key);
    return value === undefined ? [] : [{ value, row, was: before.get(row.question.key) }];
  });
  if (known.length === 0) return undefined;
  const judged = known.filter(({ was, row }) => was && isRight(was.correct) && !Number.isNaN(row.correct));
  const scored = judged.map(({ value, row }) => ({ score: value, right: isRight(row.correct), cluster: row.question.cluster }));
  const broken = scored.filter(({ right }) => !right).length;
  return {
    correlation: clusterBootstrap(
      known.map(({ value }) => value),
      known.map(({ row }) => row.question.cluster),
      { random },
    ),
    n: known.length,
    ...(broken > 0 && broken < scored.length ? { auc: foretells(scored, random) } : {}),
    rightClean: scored.length,
    broken,
  };
}
