/** @file How steady answers are that were asked for several times: the four numbers of lmms-eval. */
import { mean, variance } from './descriptive.ts';

/** What repeated answers show. All are shares but the variance. */
export interface RepeatStatistics {
  /** EA: mean over all answers. */
  readonly expectedAccuracy: number;
  /** CA: share of questions that more than half of the repeats answer right; a tie counts as wrong. */
  readonly consensusAccuracy: number;
  /** IV: mean over questions of the unbiased variance (n - 1) over repeats; NaN for one repeat. */
  readonly internalVariance: number;
  /** CR: share of questions whose repeats all score the same, right or wrong. */
  readonly consistencyRate: number;
  readonly questions: number;
  readonly repeats: number;
}

/**
 * EA, CA, IV and CR of a table of scores from 0 to 1, [questions][repeats] (lmms-eval, `api/metrics.py`). No questions give NaN.
 * @throws RangeError for questions with different numbers of repeats, or none
 */
export function repeatStatistics(scores: readonly ArrayLike<number>[]): RepeatStatistics {
  const repeats = scores[0]?.length ?? 0;
  scores.forEach((row, i) => {
    if (row.length === 0 || row.length !== repeats)
      throw new RangeError(`Question ${i} has ${row.length} repeats, the first has ${repeats}; all need the same number, at least one.`);
  });
  const all = scores.map(row => Array.from(row));
  return {
    expectedAccuracy: mean(all.flat()),
    consensusAccuracy: mean(all.map(row => Number(mean(row) > 0.5))),
    internalVariance: mean(all.map(variance)),
    consistencyRate: mean(all.map(row => Number(row.every(v => v === row[0])))),
    questions: all.length,
    repeats,
  };
}
