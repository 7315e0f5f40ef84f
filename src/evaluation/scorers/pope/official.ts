/** @file `pope@official`: POPE's `evaluate.py`, as LLaVA's and Vittle's `eval_pope.py` have it. */
import { parsePope } from '../parse/pope.ts';
import type { Scorer } from '../scorer.ts';
import { ratio } from '../summaries/groups.ts';
import { yesNoScorer } from '../summaries/yes-no.ts';

/** POPE's scorer; `mean_f1` is the number that LLaVA calls POPE, the other figures are pooled over the splits, as Vittle pools them. */
export const popeOfficial: Scorer = yesNoScorer({
  name: 'pope@official',
  summary:
    'Yes unless the first sentence holds No, not or no as a word, so an empty answer is yes and NO is, too. Questions without an answer are left out. The official program joins by position and divides by zero where nothing is a true positive; here answers are joined by id, and such a figure is null.',
  source: 'AoiDragon/POPE evaluate.py at 08d957b; haotian-liu/LLaVA llava/eval/eval_pope.py at c121f04',
  missing: 'left out',
  best: 1,
  parse: parsePope,
  key: 'f1',
  mean: 'mean_f1',
  figures({ yy: TP, yn: FN, ny: FP, nn: TN }) {
    const total = TP + FP + TN + FN;
    const precision = ratio(TP, TP + FP);
    const recall = ratio(TP, TP + FN);
    return {
      accuracy: ratio(TP + TN, total),
      precision,
      recall,
      f1: (2 * precision * recall) / (precision + recall),
      yes_ratio: ratio(TP + FP, total),
      TP,
      FP,
      TN,
      FN,
    };
  },
});
