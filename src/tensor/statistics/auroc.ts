/** @file Area under the receiver operating characteristic: how well a score tells two classes apart. */
import { ranks } from './rank.ts';

/**
 * P(a positive's score > a negative's) + ½ P(equal): 1 where every positive is above every negative, ½ where the score says nothing. By mean
 * ranks (Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve", 1982). NaN where a class
 * is empty or a score is NaN.
 * @param positive the class of each score @throws RangeError when the lengths differ
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<boolean>): number {
  if (scores.length !== positive.length) throw new RangeError(`${scores.length} scores but ${positive.length} classes.`);
  if (Array.from(scores).some(Number.isNaN)) return Number.NaN;
  const places = ranks(scores);
  let [total, count] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    if (!positive[i]) continue;
    total += places[i];
    count++;
  }
  const others = scores.length - count;
  return count > 0 && others > 0 ? (total - (count * (count + 1)) / 2) / (count * others) : Number.NaN;
}
