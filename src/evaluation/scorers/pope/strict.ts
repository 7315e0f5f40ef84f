/** @file `pope@strict` and `yes-no@strict`: yes or no where the answer says so, and nothing guessed. */
import { parseStrictYesNo } from '../parse/strict-yes-no.ts';
import type { Scorer } from '../scorer.ts';
import { ratio } from '../summaries/groups.ts';
import { type YesNoCounts, yesNoScorer } from '../summaries/yes-no.ts';

const SUMMARY =
  'Yes or no where the answer says so; an answer that says neither, and a question without one, is wrong: never a yes, and a miss for recall.';
const SOURCE = 'Narrows';

function figures({ yy, yn, y0, ny, nn, n0 }: YesNoCounts): Record<string, number> {
  const total = yy + yn + y0 + ny + nn + n0;
  return {
    accuracy: ratio(yy + nn, total),
    precision: ratio(yy, yy + ny),
    recall: ratio(yy, yy + yn + y0),
    f1: ratio(2 * yy, 2 * yy + ny + yn + y0),
    yes_ratio: ratio(yy + ny, total),
    unread: ratio(y0 + n0, total),
  };
}

/** Our reading of POPE, with the mean F1 of its splits. */
export const popeStrict: Scorer = yesNoScorer({
  name: 'pope@strict',
  summary: SUMMARY,
  source: SOURCE,
  missing: 'wrong',
  best: 1,
  parse: parseStrictYesNo,
  key: 'f1',
  mean: 'mean_f1',
  figures,
});

/** The same for any set of yes/no questions; accuracy is its primary figure. */
export const yesNoStrict: Scorer = yesNoScorer({
  name: 'yes-no@strict',
  summary: SUMMARY,
  source: SOURCE,
  missing: 'wrong',
  best: 1,
  parse: parseStrictYesNo,
  key: 'accuracy',
  figures,
});
