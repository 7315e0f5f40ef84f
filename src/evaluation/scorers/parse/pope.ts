/** @file Yes or no as POPE's `evaluate.py` reads it (LLaVA's and Vittle's `eval_pope.py` are the same text). */

const NO = new Set(['No', 'not', 'no']);

/**
 * The words of the first sentence, split at spaces, commas taken away: `No`, `not` or `no` among them is no, everything else is yes. So `NO`,
 * `No!`, `isn't` and an empty answer are yes, and `Yes, not only …` is no.
 */
export function parsePope(answer: string): 'yes' | 'no' {
  const [sentence] = answer.split('.', 1);
  return sentence
    .replaceAll(',', '')
    .split(' ')
    .some(word => NO.has(word))
    ? 'no'
    : 'yes';
}
