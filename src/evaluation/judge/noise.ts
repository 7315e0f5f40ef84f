/** @file The judge's own noise: how its marks change when it is asked again, when the answers change places, and with their lengths. */
import { mean, standardDeviation } from '../../tensor/statistics/descriptive.ts';
import { type Correlation, correlate } from '../../tensor/statistics/pearson-interval.ts';
import type { Order } from './item.ts';
import { relativeScore } from './relative.ts';
import { type Marks, marksOf, type Review } from './review.ts';
import { idKey } from './score.ts';

/** Marks of the same comparison, asked again. */
export interface RepeatNoise {
  /** Comparisons with at least two readable reviews of one order. */
  readonly comparisons: number;
  /** Standard deviation of the mark difference (model less reference) between askings, pooled over comparisons. */
  readonly differenceDeviation: number;
  /** Relative preference of each asking taken by itself, and its standard deviation over the askings. */
  readonly relative: readonly number[];
  readonly relativeDeviation: number;
}

/** Marks of the same comparison in both orders. */
export interface OrderNoise {
  /** Questions with both orders. */
  readonly questions: number;
  /** Share of them whose winner changes with the order (a tie on one side does not count). */
  readonly flips: number;
  /** Share of them that has the same winner, or a tie, in both orders. */
  readonly same: number;
  /** Marks that an answer gains by being shown first, on average; 0 for a judge without a bias of place. */
  readonly firstGains: number;
}

/** What is known of a judge's noise; a part is missing where it was not measured. */
export interface JudgeNoise {
  readonly repeats?: RepeatNoise;
  readonly orders?: OrderNoise;
  /** Pearson's r of the mark difference with the difference in length (characters, model less reference), with a 95 % interval. */
  readonly length?: Correlation;
}

interface Read extends Marks {
  readonly review: Review;
  readonly key: string;
}

const difference = ({ model, reference }: Marks): number => model - reference;

function groupBy<T>(values: readonly T[], name: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(name(value), [...(groups.get(name(value)) ?? []), value]);
  return groups;
}

function repeatNoise(read: readonly Read[], score: (marks: readonly Marks[]) => number): RepeatNoise | undefined {
  const repeats = groupBy(read, r => `${r.review.repeat}`);
  if (repeats.size < 2) return undefined;
  const groups = [...groupBy(read, r => `${r.key} ${r.review.order}`).values()].filter(group => group.length > 1);
  if (groups.length === 0) return undefined;
  // Sums of squares within comparisons over their degrees of freedom.
  const squares = groups.map(group => standardDeviation(group.map(difference)) ** 2 * (group.length - 1));
  const free = groups.reduce((total, group) => total + group.length - 1, 0);
  const relative = [...repeats.values()].map(score);
  return {
    comparisons: groups.length,
    differenceDeviation: Math.sqrt(squares.reduce((a, b) => a + b, 0) / free),
    relative,
    relativeDeviation: standardDeviation(relative),
  };
}

function orderNoise(read: readonly Read[]): OrderNoise | undefined {
  const meanOf = (group: readonly Read[], order: Order): number => mean(group.filter(r => r.review.order === order).map(difference));
  const pairs = [...groupBy(read, r => r.key).values()]
    .map(group => ({ ahead: meanOf(group, 'model first'), behind: meanOf(group, 'reference first') }))
    .filter(({ ahead, behind }) => Number.isFinite(ahead) && Number.isFinite(behind));
  if (pairs.length === 0) return undefined;
  const share = (test: (pair: { ahead: number; behind: number }) => boolean): number => pairs.filter(test).length / pairs.length;
  return {
    questions: pairs.length,
    flips: share(({ ahead, behind }) => ahead * behind < 0),
    same: share(({ ahead, behind }) => Math.sign(ahead) === Math.sign(behind)),
    firstGains: mean(pairs.map(({ ahead, behind }) => (ahead - behind) / 2)),
  };
}

/** How reviews are read, for judges that give no marks. */
export interface NoiseOptions {
  /** Characters of the model's answer less those of the reference, by `idKey`. */
  readonly lengths?: (key: string) => number | undefined;
  /** `marksOf` by default. */
  readonly read?: (review: Review) => Marks | undefined;
  /** Score of one asking; the relative preference by default. */
  readonly score?: (marks: readonly Marks[]) => number;
}

const relativeOf = (marks: readonly Marks[]): number => relativeScore(marks.map((m, i) => ({ ...m, cluster: `${i}` }))).relative;

/** Measures what the reviews allow. */
export function judgeNoise(
  reviews: readonly Review[],
  { lengths, read: readOne = marksOf, score = relativeOf }: NoiseOptions = {},
): JudgeNoise {
  const read = reviews.flatMap((review): Read[] => {
    const marks = readOne(review);
    return marks ? [{ ...marks, review, key: idKey(review.questionId) }] : [];
  });
  const [repeats, orders] = [repeatNoise(read, score), orderNoise(read)];
  const byQuestion = [...groupBy(read, r => r.key)].map(([key, group]) => ({ length: lengths?.(key), marks: mean(group.map(difference)) }));
  const known = byQuestion.filter((one): one is { length: number; marks: number } => one.length !== undefined);
  const length =
    known.length < 4
      ? undefined
      : correlate(
          known.map(k => k.length),
          known.map(k => k.marks),
        );
  return { ...(repeats ? { repeats } : {}), ...(orders ? { orders } : {}), ...(length ? { length } : {}) };
}
