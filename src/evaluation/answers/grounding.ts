/**
 * @file Grounding: how much of what an answer needs comes from the picture, and from the thing that it is about; and whether that tells right
 * answers from invented ones.
 */
import type { Attribution } from '../../attribution/result.ts';
import type { RandomStream } from '../../tensor/random.ts';
import { auroc } from '../../tensor/statistics/auroc.ts';
import { bootstrap, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { fineMap, scoreInside } from '../metrics/placed-map.ts';

/** Figures of one answer's map; masses are sums of positive values, in nats where the method counts them. */
export interface Grounding {
  /** Mass on the picture. */
  readonly image: number;
  /** Share of the picture in the mass of picture and question; NaN where neither has any, or the method makes no map of words. */
  readonly imageShare: number;
  /** The largest patch. */
  readonly peak: number;
  /** Share of the picture's mass on the four strongest patches; NaN where there is none. */
  readonly concentration: number;
  /** Mass on the thing, and its share of the picture's; undefined where the thing's place is not known. */
  readonly thing?: number;
  readonly thingShare?: number;
}

/** Patches that make a map's core. */
const CORE = 4;
const positive = (values: ArrayLike<number>): number[] => Array.from(values, v => Math.max(0, v));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * @param result with a map of the picture @param thing the named thing's box in the picture's pixels, `[left, top, width, height]`
 * @throws TypeError for a result without a map of the picture
 */
export function groundingOf(result: Pick<Attribution, 'image' | 'text'>, thing?: readonly [number, number, number, number]): Grounding {
  if (!result.image) throw new TypeError('Grounding is read from a map of the picture.');
  const patches = positive(result.image.patches);
  const image = total(patches);
  const words = result.text ? total(positive(result.text.words.map(word => word.value))) : Number.NaN;
  const core = total([...patches].sort((a, b) => b - a).slice(0, CORE));
  const share = thing && (image > 0 ? scoreInside(fineMap(result.image), [thing]).energy : Number.NaN);
  return {
    image,
    imageShare: image / (image + words),
    peak: Math.max(...patches),
    concentration: image > 0 ? core / image : Number.NaN,
    ...(share === undefined ? {} : { thing: share * image, thingShare: share }),
  };
}

/** An answer with a score that shall be high for right ones. `cluster`: its picture. */
export interface ScoredAnswer {
  readonly score: number;
  readonly right: boolean;
  readonly cluster: string;
}

/**
 * How well a score tells right answers from invented ones: the area under the receiver operating characteristic (½: not at all), with a 95 %
 * interval by drawing whole pictures. Answers without a score are left out.
 */
export function foretells(answers: readonly ScoredAnswer[], random: RandomStream): Estimate {
  return bootstrap(byCluster(answers), drawn => auc(drawn.flat()), { random });
}

/** The difference of two scores' areas on the same answers, paired. @param a one score per answer @param b another, in the same order */
export function foretellsMore(a: readonly ScoredAnswer[], b: readonly ScoredAnswer[], random: RandomStream): Estimate {
  if (a.length !== b.length) throw new RangeError(`Two scores of the same answers are compared, got ${a.length} and ${b.length}.`);
  const both = a.map((answer, i) => ({ ...answer, other: b[i].score }));
  const kept = both.filter(({ other }) => !Number.isNaN(other));
  return bootstrap(byCluster(kept), drawn => auc(drawn.flat()) - auc(drawn.flat().map(one => ({ ...one, score: one.other }))), { random });
}

const auc = (answers: readonly ScoredAnswer[]): number =>
  auroc(
    answers.map(({ score }) => score),
    answers.map(({ right }) => right),
  );

function byCluster<T extends ScoredAnswer>(answers: readonly T[]): T[][] {
  const clusters = new Map<string, T[]>();
  for (const answer of answers)
    if (!Number.isNaN(answer.score)) clusters.set(answer.cluster, [...(clusters.get(answer.cluster) ?? []), answer]);
  return [...clusters.values()];
}
