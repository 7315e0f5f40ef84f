/** @file `mme@accuracy`: plain accuracy in percent, the scale of Vittle's table. */
import { parseLmmsEvalMme } from '../parse/lmms-eval-mme.ts';
import type { Scorer } from '../scorer.ts';
import { accuracyFigures, rightIf, shareTally, summariseBy } from '../summaries/accuracy.ts';

/** Accuracy from 0 to 100. */
export const mmeAccuracy: Scorer = {
  name: 'mme@accuracy',
  summary:
    "Share of right answers in percent, read as lmms-eval reads them: the scale of Vittle's table, whose 69.7 is no MME score. A question without an answer is wrong.",
  source: 'Vittle (arXiv 2505.13946), whose averages only hold on this scale; parser of lmms-eval at 75571cf',
  kinds: ['yes-no'],
  primary: 'accuracy',
  best: 100,
  missing: 'wrong',
  read: (answer, question) => {
    const value = parseLmmsEvalMme(answer);
    return { value, correct: rightIf(value, question) };
  },
  summarise: (rows, missing) =>
    summariseBy(rows, missing, group => {
      const { accuracy, unread, n } = accuracyFigures(group);
      return { accuracy: 100 * accuracy, unread, n };
    }),
  tally: () => shareTally(100),
};
