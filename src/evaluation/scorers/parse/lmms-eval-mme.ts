/** @file Yes or no as lmms-eval's MME task reads it. */
import { parsePrefix } from './mme.ts';
import { strip } from './python-text.ts';

/** As MME's, but white space around the answer and all full stops are taken away first, and a lone `y` or `n` counts. */
export function parseLmmsEvalMme(answer: string): 'yes' | 'no' | null {
  const plain = strip(answer.toLowerCase()).replaceAll('.', '');
  if (plain === 'y') return 'yes';
  return plain === 'n' ? 'no' : parsePrefix(plain);
}
