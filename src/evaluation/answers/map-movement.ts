/**
 * @file How far an answer's map moves under a shift, and whether that foretells an answer that breaks. The clean answer is explained on the clean
 * and on the shifted input, so that maps differ by the input and not by what is explained.
 */

import type { AnswerAttribution } from '../../attribution/result.ts';
import type { RandomStream } from '../../tensor/random.ts';
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';
import { clusterBootstrap } from '../../tensor/statistics/cluster-bootstrap.ts';
import { spearman } from '../../tensor/statistics/rank.ts';
import { fineMap, scoreInside } from '../metrics/placed-map.ts';
import type { ScoredAnswer as Scored } from '../scorers/scorer.ts';
import { foretells, foretellsMore, type ScoredAnswer } from './grounding.ts';

/**
 * Rank correlation of two maps of one picture: 1 where the shift leaves the order of all patches, near 0 where nothing is left of it. A map of
 * one value has no order: 1 where the other has none either, else 0.
 */
export function mapAgreement(clean: ArrayLike<number>, shifted: ArrayLike<number>): number {
  const flat = (map: ArrayLike<number>): boolean => Array.from(map).every(v => v === map[0]);
  const [a, b] = [flat(clean), flat(shifted)];
  return a || b ? Number(a && b) : spearman(clean, shifted);
}

/** What became of one question's map under a shift. */
export interface MovedMap {
  /** `mapAgreement` with the clean picture's map. */
  readonly correlation: number;
  /** Log-probability of the clean answer on the clean picture, in nats: what is known of an answer before anything shifts. */
  readonly logProbability: number;
  /** Share of the map's positive mass on the thing that the question is about, clean and under the shift, where its place is known in both. */
  readonly cleanMass?: number;
  readonly mass?: number;
}

/**
 * Two explanations of the same answer, on the clean and on the shifted picture.
 * @param boxes of the thing asked for, [left, top, width, height] in pixels of both pictures; undefined where its place is not known in both
 */
export function movedMap(
  clean: Pick<AnswerAttribution, 'image' | 'answer'>,
  shifted: Pick<AnswerAttribution, 'image'>,
  boxes?: readonly (readonly number[])[],
): MovedMap {
  const [before, after] = [clean.image!, shifted.image!];
  const [cleanMass, mass] = boxes?.length ? [before, after].map(map => scoreInside(fineMap(map), boxes).energy) : [];
  return {
    correlation: mapAgreement(before.patches, after.patches),
    logProbability: clean.answer.tokens.reduce((sum, token) => sum + token.logProbability, 0),
    // A map that is nowhere positive has no mass to be shared.
    ...(Number.isFinite(cleanMass) && Number.isFinite(mass) ? { cleanMass, mass } : {}),
  };
}

/** Mass on the true thing, means over questions with their intervals; `change` is shifted minus clean, question by question. */
export interface MassMovement {
  readonly clean: Estimate;
  readonly shifted: Estimate;
  readonly change: Estimate;
  readonly n: number;
  /** As `MapMovement.auc`, by the mass under the shift. */
  readonly auc?: Estimate;
}

/** A scenario's maps against the clean ones. */
export interface MapMovement {
  /** Mean rank correlation with the clean map, drawn over pictures. */
  readonly correlation: Estimate;
  readonly n: number;
  readonly mass?: MassMovement;
  /** Of answers that are right clean: area under the curve by which an unmoved map tells answers that stay right from those that break. */
  readonly auc?: Estimate;
  /** The control: the same by the clean answer's own log-probability on the clean picture. And how much more the map tells, paired. */
  readonly controlAuc?: Estimate;
  readonly aucOverControl?: Estimate;
  readonly rightClean: number;
  readonly broken: number;
}

/** Right: at least half of the points. */
const isRight = (correct: number): boolean => correct >= 0.5;

/** A question with its map under the shift, and whether an answer that was right stayed so; undefined where it was wrong or is not judged. */
interface Known {
  readonly map: MovedMap;
  readonly cluster: string;
  readonly stays: boolean | undefined;
}

/** Answers that were right clean, scored by a figure of their maps. */
const scoredBy = (known: readonly Known[], score: (map: MovedMap) => number | undefined): ScoredAnswer[] =>
  known.flatMap(({ map, cluster, stays }) => {
    const value = score(map);
    return stays === undefined || value === undefined ? [] : [{ score: value, right: stays, cluster }];
  });

/** Whether some break and some stay right. */
const tells = (answers: readonly ScoredAnswer[]): boolean => new Set(answers.map(({ right }) => right)).size === 2;

function massMovement(known: readonly Known[], random: RandomStream): MassMovement | undefined {
  const placed = known.filter(({ map }) => map.mass !== undefined && map.cleanMass !== undefined);
  if (placed.length === 0) return undefined;
  const over = (value: (map: MovedMap) => number): Estimate =>
    clusterBootstrap(
      placed.map(({ map }) => value(map)),
      placed.map(({ cluster }) => cluster),
      { random },
    );
  const scored = scoredBy(placed, map => map.mass);
  return {
    clean: over(map => map.cleanMass!),
    shifted: over(map => map.mass!),
    change: over(map => map.mass! - map.cleanMass!),
    n: placed.length,
    ...(tells(scored) ? { auc: foretells(scored, random) } : {}),
  };
}

/**
 * @param maps by question's key @param clean scored answers of the clean set @param shifted the same under the shift
 * @returns undefined where no question has a map
 */
export function mapMovement(
  maps: ReadonlyMap<string, MovedMap>,
  clean: readonly Scored[],
  shifted: readonly Scored[],
  random: RandomStream,
): MapMovement | undefined {
  const before = new Map(clean.map(row => [row.question.key, row]));
  const known = shifted.flatMap((row): Known[] => {
    const map = maps.get(row.question.key);
    if (map === undefined) return [];
    const was = before.get(row.question.key);
    const judged = was && isRight(was.correct) && !Number.isNaN(row.correct);
    return [{ map, cluster: row.question.cluster, stays: judged ? isRight(row.correct) : undefined }];
  });
  if (known.length === 0) return undefined;
  const [scored, control] = [scoredBy(known, map => map.correlation), scoredBy(known, map => map.logProbability)];
  const mass = massMovement(known, random);
  return {
    correlation: clusterBootstrap(
      known.map(({ map }) => map.correlation),
      known.map(({ cluster }) => cluster),
      { random },
    ),
    n: known.length,
    ...(mass ? { mass } : {}),
    ...(tells(scored)
      ? {
          auc: foretells(scored, random),
          controlAuc: foretells(control, random),
          aucOverControl: foretellsMore(scored, control, random),
        }
      : {}),
    rightClean: scored.length,
    broken: scored.filter(({ right }) => !right).length,
  };
}
