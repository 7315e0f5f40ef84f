/** @file `scienceqa@lmms-eval`: lmms-eval's ScienceQA task. */
import { parseLmmsEvalScienceQa } from '../parse/lmms-eval-scienceqa.ts';
import type { Scorer } from '../scorer.ts';
import { accuracyScorer, rightIf } from '../summaries/accuracy.ts';

/** lmms-eval's scorer. */
export const scienceQaLmmsEval: Scorer = accuracyScorer({
  name: 'scienceqa@lmms-eval',
  summary:
    'The letter and nothing else, in any case, or a capital letter with a full stop at the start ("A."); no sentence is read. Questions without an answer are left out.',
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/scienceqa/utils.py at 75571cf',
  kinds: ['choice'],
  missing: 'left out',
  read: (answer, question) => {
    const value = parseLmmsEvalScienceQa(answer, question.options ?? []);
    return { value, correct: rightIf(value, question) };
  },
});
