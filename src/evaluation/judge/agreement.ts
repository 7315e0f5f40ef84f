/** @file How far two judges put answers into the same order: one that knows the truth by rule, one behind an endpoint. */
import { RandomStream } from '../../tensor/random.ts';
import { bootstrap } from '../../tensor/statistics/bootstrap.ts';
import { kendall } from '../../tensor/statistics/rank.ts';

/** Two judges' marks of one answer. */
export interface TwoMarks {
  readonly a: number;
  readonly b: number;
  /** Its picture. */
  readonly cluster: string;
}

/** How far two judges agree. */
export interface Agreement {
  /** Kendall's tau-b: 1 the same order, 0 none, -1 the reverse, with a 95 % interval (bootstrap over pictures). */
  readonly kendall: number;
  readonly low: number;
  readonly high: number;
  /** Of the pairs of answers that neither judge ties, the share that both put into the same order; NaN where there is none. */
  readonly sameOrder: number;
  /** Pairs that neither judge ties, and all pairs. */
  readonly ranked: number;
  readonly pairs: number;
  readonly answers: number;
}

/** Pairs in the same and in the opposite order. */
function orders(marks: readonly TwoMarks[]): { same: number; opposite: number } {
  let [same, opposite] = [0, 0];
  for (let i = 1; i < marks.length; i++)
    for (let j = 0; j < i; j++) {
      const sign = Math.sign(marks[i].a - marks[j].a) * Math.sign(marks[i].b - marks[j].b);
      if (sign > 0) same++;
      else if (sign < 0) opposite++;
    }
  return { same, opposite };
}

const tau = (marks: readonly TwoMarks[]): number =>
  kendall(
    marks.map(m => m.a),
    marks.map(m => m.b),
  );

/** Measures it. Kendall's tau is NaN where a judge gives all answers the same mark. @param seed of the resamples */
export function agreementOf(marks: readonly TwoMarks[], seed = 0): Agreement {
  const { same, opposite } = orders(marks);
  const clusters = new Map<string, TwoMarks[]>();
  for (const mark of marks) clusters.set(mark.cluster, [...(clusters.get(mark.cluster) ?? []), mark]);
  const random = new RandomStream(seed, 'judge.agreement');
  const interval = bootstrap([...clusters.values()], drawn => tau(drawn.flat()), { random, resamples: 1000, method: 'percentile' });
  return {
    ...{ kendall: interval.estimate, low: interval.low, high: interval.high },
    ...{ sameOrder: same / (same + opposite), ranked: same + opposite },
    ...{ pairs: (marks.length * (marks.length - 1)) / 2, answers: marks.length },
  };
}
