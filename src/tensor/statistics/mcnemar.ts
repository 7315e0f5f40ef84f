/** @file McNemar's test: do two models answer the same questions right equally often? (McNemar, 1947; exact: Liddell, 1983). */
import { normalCdf } from './normal.ts';
import { incompleteBeta } from './student-t.ts';

/** The outcome of `mcnemar`. */
export interface McNemarResult {
  /** Items right for a and wrong for b, and the reverse; the others do not count. */
  readonly discordant: readonly [onlyA: number, onlyB: number];
  /** Two-sided. */
  readonly pValue: number;
  readonly method: 'exact' | 'chi-square';
  /** The chi-square statistic with one degree of freedom; not for the exact test. */
  readonly chiSquare?: number;
}

/** How `mcnemarCounts` works. */
export interface McNemarOptions {
  /** `exact` (default, of any size): the binomial with probability ½. `chi-square`: (b - c)² / (b + c), good from about 25 items on. */
  readonly method?: 'exact' | 'chi-square';
  /** Chi-square: takes 1 from |b - c| first (Edwards, 1948). Default false. */
  readonly continuity?: boolean;
}

/** The test on counts of discordant items; none give p = 1. @throws RangeError for counts that are not whole numbers from 0 on */
export function mcnemarCounts(onlyA: number, onlyB: number, { method = 'exact', continuity = false }: McNemarOptions = {}): McNemarResult {
  for (const count of [onlyA, onlyB])
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`Discordant items are counted in whole numbers; got ${count}.`);
  const n = onlyA + onlyB;
  const discordant = [onlyA, onlyB] as const;
  if (method === 'chi-square') {
    const apart = Math.max(0, Math.abs(onlyA - onlyB) - (continuity ? 1 : 0));
    const chiSquare = n === 0 ? 0 : apart ** 2 / n;
    return { discordant, method, chiSquare, pValue: Math.min(1, 2 * normalCdf(-Math.sqrt(chiSquare))) };
  }
  const fewer = Math.min(onlyA, onlyB);
  // P(X <= fewer) = I_½(n - fewer, fewer + 1).
  return { discordant, method, pValue: n === 0 ? 1 : Math.min(1, 2 * incompleteBeta(0.5, n - fewer, fewer + 1)) };
}

/** The test on paired outcomes: true or above 0 is right. @throws RangeError when the lengths differ */
export function mcnemar(a: ArrayLike<number | boolean>, b: ArrayLike<number | boolean>, options: McNemarOptions = {}): McNemarResult {
  if (a.length !== b.length) throw new RangeError(`A paired comparison needs samples of one length, got ${a.length} and ${b.length}.`);
  let [onlyA, onlyB] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [right, other] = [Number(a[i]) > 0, Number(b[i]) > 0];
    if (right && !other) onlyA++;
    if (other && !right) onlyB++;
  }
  return mcnemarCounts(onlyA, onlyB, options);
}
