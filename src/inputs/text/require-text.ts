/** @file Captions that cannot be explained are refused in one sentence. */
import { NarrowsError } from '../../system/errors.ts';
import type { TokenizedText } from './tokenizer.ts';

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** Returns `text`. @throws NarrowsError when it is empty or only white space. */
export function requireText(text: string): string {
  if (text.trim() !== '') return text;
  throw new NarrowsError(`The caption is ${text === '' ? 'empty' : 'only white space'}: give the words to look for in the image.`);
}

/** Returns `tokenized`. @throws NarrowsError when the vocabulary knows no word of `text`, so that the model would see nothing of it. */
export function requireKnown(text: string, tokenized: TokenizedText): TokenizedText {
  if (!tokenized.allUnknown) return tokenized;
  throw new NarrowsError(`The model's vocabulary knows no word of "${shorten(text)}": use other words, or another model.`);
}

/** The sentence that warns of a caption cut to the model's length; undefined when nothing fell off. */
export function truncationWarning(tokenized: TokenizedText): string | undefined {
  const { truncated, ids } = tokenized;
  if (!truncated) return undefined;
  return `The caption is longer than the model's ${ids.length} tokens: its last ${truncated.tokens} are left out ("${shorten(truncated.text)}").`;
}
