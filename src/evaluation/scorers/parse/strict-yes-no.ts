/** @file Yes or no where the answer says so, and nothing where it does not. */

const YES = /^(?:yes|yeah|yep|true|correct)$/;
const NO = /^(?:no|nope|false|not|none|nothing|nobody|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|cannot|can't)$/;

/**
 * The first word decides where it is yes or no (marks such as `**`, quotes, brackets, `1.` and `Answer:` before it are passed over); else
 * the answer must hold one of the words yes and no, and not both. What neither says is null: nothing is guessed.
 */
export function parseStrictYesNo(answer: string): 'yes' | 'no' | null {
  const plain = answer.normalize('NFKC').toLowerCase().replaceAll('’', "'");
  const said = plain.match(/[\p{L}\p{M}']*\p{L}/gu)?.map(word => word.replace(/^'+/, '')) ?? [];
  const start = said[0] === 'answer' ? 1 : 0;
  const first = said[start];
  if (first === undefined) return null;
  if (said.length - start === 1 && (first === 'y' || first === 'n')) return first === 'y' ? 'yes' : 'no';
  const second = said[start + 1];
  // "yes and no", "yes/no" and "no or yes" leave it open.
  const open = /^[^\p{L}]*(?:answer[^\p{L}]*)?(?:yes|no)\s*(?:\/|\band\b|\bor\b)\s*(?:yes|no)\b/u.test(plain);
  if (open || (first === 'not' && second === 'sure')) return null;
  if (YES.test(first)) return 'yes';
  if (NO.test(first)) return 'no';
  const [yes, no] = [said.includes('yes'), said.includes('no')];
  return yes === no ? null : yes ? 'yes' : 'no';
}
