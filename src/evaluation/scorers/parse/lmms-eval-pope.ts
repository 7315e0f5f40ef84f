/** @file Yes or no as lmms-eval's POPE task reads it. */
import { strip } from './python-text.ts';

/** Only an answer that is nothing but yes or no counts, in any case and between white space: `Yes.` is neither. */
export function parseLmmsEvalPope(answer: string): 'yes' | 'no' | null {
  const plain = strip(answer.toLowerCase());
  return plain === 'yes' || plain === 'no' ? plain : null;
}
