/** @file Yes or no as VLMEvalKit's `YOrN_Extraction` reads it, after the punctuation rule of the VQA evaluation. */
import { words } from './python-text.ts';

const MARKS = ';/[]"{}()=+\\_-><@`,?!';
/** The VQA evaluation hands a flag over where the number of replacements belongs: no more than these full stops go. */
const FULL_STOPS = 32;

/**
 * Punctuation of the VQA evaluation (Antol et al., `vqaEval.py`): a mark that stands next to a space anywhere in the text is taken away,
 * another becomes a space; in a text with a comma between digits all are taken away. Full stops go unless a digit follows.
 */
export function processPunctuation(text: string): string {
  const grouped = /\p{Nd},\p{Nd}/u.test(text);
  let out = text;
  for (const mark of MARKS)
    if (text.includes(mark)) out = out.replaceAll(mark, grouped || text.includes(`${mark} `) || text.includes(` ${mark}`) ? '' : ' ');
  let left = FULL_STOPS;
  return out.replace(/\.(?!\p{Nd})/gu, stop => (left-- > 0 ? '' : stop));
}

/** Exactly one of the words yes and no; both or neither is unknown: VLMEvalKit then asks a judge model, or counts the answer as wrong. */
export function parseVlmEvalKitYesNo(answer: string): 'yes' | 'no' | null {
  const said = new Set(words(processPunctuation(answer.toLowerCase())));
  if (said.has('yes') === said.has('no')) return null;
  return said.has('yes') ? 'yes' : 'no';
}
