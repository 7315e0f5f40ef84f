/** @file `pope@vlmevalkit`: VLMEvalKit's POPE rating, without a judge model. */
import { parseVlmEvalKitYesNo } from '../parse/vlmevalkit-yes-no.ts';
import type { Scorer } from '../scorer.ts';
import { ratio } from '../summaries/groups.ts';
import { yesNoScorer } from '../summaries/yes-no.ts';

/** A quotient in percent that the program gives as 0 where there is nothing to divide by. */
const percent = (value: number): number => (Number.isNaN(value) ? 0 : 100 * value);

/** VLMEvalKit's scorer, in percent as it prints. */
export const popeVlmEvalKit: Scorer = yesNoScorer({
  name: 'pope@vlmevalkit',
  summary:
    'Yes or no where the answer holds exactly one of the two words; what it cannot read is neither a yes nor right (VLMEvalKit would ask a judge model). In percent. Questions without an answer are wrong; 0/0 is 0.',
  source: 'open-compass/VLMEvalKit vlmeval/dataset/utils/yorn.py at e8e78f0',
  missing: 'wrong',
  best: 100,
  parse: parseVlmEvalKitYesNo,
  key: 'f1',
  figures({ yy, yn, y0, ny, nn, n0 }) {
    const total = yy + yn + y0 + ny + nn + n0;
    return {
      accuracy: 100 * ratio(yy + nn, total),
      precision: percent(ratio(yy, yy + ny)),
      recall: percent(ratio(yy, yy + yn + y0)),
      f1: percent(ratio(2 * yy, 2 * yy + ny + yn + y0)),
      yes_ratio: 100 * ratio(yy + ny, total),
    };
  },
});
