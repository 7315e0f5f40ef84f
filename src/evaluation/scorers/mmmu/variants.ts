/** @file MMMU by its own program, by lmms-eval, by VLMEvalKit, and strictly. */

import { readNormalised } from '../generic/exact.ts';
import { parseLmmsEvalMmmuChoice } from '../parse/lmms-eval-mmmu-choice.ts';
import { parseMmmuChoice } from '../parse/mmmu-choice.ts';
import { parseStrictChoice } from '../parse/strict-choice.ts';
import { parseVlmEvalKitChoice } from '../parse/vlmevalkit-choice.ts';
import type { Scorer } from '../scorer.ts';
import { mmmuScorer } from './mmmu-scorer.ts';
import { readMmmuOpen, readMmmuOpenByCharacter } from './open.ts';

const GUESSES =
  'Where no option can be read the program guesses: guesses are counted, wrong in "overall", and worth 1/options in "overall_with_expected_luck".';

/** `mmmu@official`. */
export const mmmuOfficial: Scorer = mmmuScorer({
  name: 'mmmu@official',
  summary: `(B), a capital B between spaces, or in longer answers an option's text, the last one said. ${GUESSES} Open answers: any candidate that contains the right text counts ("excellent" for "cell"). Questions without an answer are left out.`,
  source: 'MMMU-Benchmark/MMMU mmmu/utils/eval_utils.py at bb0b95a',
  missing: 'left out',
  choice: parseMmmuChoice,
  guesses: true,
  open: readMmmuOpen,
});

const LMMS_EVAL = `As official, but a capital letter needs only a space, or else a full stop, behind it. ${GUESSES}`;

/** `mmmu@lmms-eval`, with the open answers mended as in its pull request 1471. */
export const mmmuLmmsEval: Scorer = mmmuScorer({
  name: 'mmmu@lmms-eval',
  summary: `${LMMS_EVAL} Open answers as official, as lmms-eval has them since its pull request 1471. Questions without an answer are left out.`,
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/_task_utils/mmmu_mcq_utils.py at 75571cf, with 1471',
  missing: 'left out',
  choice: parseLmmsEvalMmmuChoice,
  guesses: true,
  open: readMmmuOpen,
});

/** `mmmu@lmms-eval-75571cf`, with the defect of that commit. */
export const mmmuLmmsEvalPinned: Scorer = mmmuScorer({
  name: 'mmmu@lmms-eval-75571cf',
  summary: `${LMMS_EVAL} Open answers character by character, so that nearly all are wrong (its issue 1436): for comparing with figures of that time. Questions without an answer are left out.`,
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/mmmu/utils.py at 75571cf',
  missing: 'left out',
  choice: parseLmmsEvalMmmuChoice,
  guesses: true,
  open: readMmmuOpenByCharacter,
});

const OTHER = 'Other Answers';

/** `mmmu@vlmevalkit`, which makes a choice between the right answer and "Other Answers" of an open question. */
export const mmmuVlmEvalKit: Scorer = mmmuScorer({
  name: 'mmmu@vlmevalkit',
  summary:
    'The only letter among the last four words, "answer is B", or the only option whose text the answer holds; null, where VLMEvalKit asks a judge model, is wrong. Open questions become a choice between the right answer and "Other Answers". Questions without an answer are wrong.',
  source: 'open-compass/VLMEvalKit vlmeval/utils/matching_util.py at e8e78f0; its issues 110 and 1617 on open questions',
  missing: 'wrong',
  choice: parseVlmEvalKitChoice,
  guesses: false,
  open: (answer, question) => {
    const value = parseVlmEvalKitChoice(answer, [question.answers[0] ?? '', OTHER]);
    return { value, correct: value === 'A' ? 1 : 0 };
  },
});

/** `mmmu@strict`: nothing guessed, open answers compared whole. */
export const mmmuStrict: Scorer = mmmuScorer({
  name: 'mmmu@strict',
  summary:
    'An option where the answer names one and no other; an open answer that is equal to a right one after normalisation, or the same number. What cannot be read, and a question without an answer, is wrong: nothing is guessed.',
  source: 'Narrows',
  missing: 'wrong',
  choice: parseStrictChoice,
  guesses: false,
  open: readNormalised,
});
