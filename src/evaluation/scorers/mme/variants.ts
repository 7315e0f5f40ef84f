/** @file MME by its published tool, by lmms-eval and by VLMEvalKit: the score is the same, the reading of answers is not. */
import { parseLmmsEvalMme } from '../parse/lmms-eval-mme.ts';
import { parseMme } from '../parse/mme.ts';
import { parseVlmEvalKitYesNo } from '../parse/vlmevalkit-yes-no.ts';
import type { Scorer } from '../scorer.ts';
import { mmeScorer } from './mme-scorer.ts';

const SCORE =
  'A category scores 100 × accuracy + 100 × the share of pictures with both questions right; perception is the sum of ten categories (at most 2000), cognition of four (800). A question without an answer is wrong.';

/** `mme@official`: the published tool. */
export const mmeOfficial: Scorer = mmeScorer({
  name: 'mme@official',
  summary: `${SCORE} Yes or no within the first four characters, white space not taken away: "eyes" is yes, "know" is no, "y" and "  yes" are neither.`,
  source: 'MME eval_tool/calculation.py (BradyFU/Awesome-Multimodal-Large-Language-Models at 1c1d69e)',
  parse: parseMme,
});

/** `mme@lmms-eval`. */
export const mmeLmmsEval: Scorer = mmeScorer({
  name: 'mme@lmms-eval',
  summary: `${SCORE} As official, but white space and full stops are taken away first, and a lone y or n counts.`,
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/mme/utils.py at 75571cf',
  parse: parseLmmsEvalMme,
});

/** `mme@vlmevalkit`, which calls cognition `reasoning`. */
export const mmeVlmEvalKit: Scorer = mmeScorer({
  name: 'mme@vlmevalkit',
  summary: `${SCORE} Exactly one of the words yes and no must stand in the answer; VLMEvalKit would ask a judge model for others.`,
  source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/yorn.py at e8e78f0',
  parse: parseVlmEvalKitYesNo,
  cognition: 'reasoning',
});
