/** @file `pope@lmms-eval`: lmms-eval's POPE task. */
import { parseLmmsEvalPope } from '../parse/lmms-eval-pope.ts';
import type { Scorer } from '../scorer.ts';
import { ratio } from '../summaries/groups.ts';
import { yesNoScorer } from '../summaries/yes-no.ts';

/** A quotient that the program gives as 0 where there is nothing to divide by. */
const or0 = (value: number): number => (Number.isNaN(value) ? 0 : value);

/** lmms-eval's scorer. Its figures stand under its own names: `f1_score`, and a `yes_ratio` that is the share of yes among the labels. */
export const popeLmmsEval: Scorer = yesNoScorer({
  name: 'pope@lmms-eval',
  summary:
    'Only an answer that is nothing but yes or no counts ("Yes." is neither). Others are wrong for the accuracy but are left out of recall; yes_ratio is the share of yes among the labels, not the answers. Questions without an answer are left out; 0/0 is 0.',
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/pope/utils.py at 75571cf',
  missing: 'left out',
  best: 1,
  parse: parseLmmsEvalPope,
  key: 'f1_score',
  figures({ yy, yn, y0, ny, nn, n0 }) {
    const total = yy + yn + y0 + ny + nn + n0;
    const precision = or0(ratio(yy, yy + ny));
    const recall = or0(ratio(yy, yy + yn));
    const f1 = or0(ratio(2 * precision * recall, precision + recall));
    return { accuracy: ratio(yy + nn, total), precision, recall, f1, f1_score: f1, yes_ratio: ratio(yy + yn + y0, total) };
  },
});
