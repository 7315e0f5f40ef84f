/** @file Captions that cannot be explained are refused in one sentence. */
import { NarrowsError } from '../../system/errors.ts';
import type { TokenizedText } from './tokenizer.ts';
import { mergeWords } from './words.ts';

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

/** What means something by itself: letters, digits, emoji, signs such as ♥ and €. */
const MEANING = /[\p{L}\p{N}\p{Extended_Pictographic}\p{So}\p{Sc}]/u;

/**
 * The sentence that warns of words, inside a caption that is known otherwise, which the vocabulary lacks; undefined where
 * it knows all of them. Punctuation is marked, but not warned about.
 */
export function unknownWarning(text: string, { tokens }: Pick<TokenizedText, 'tokens'>): string | undefined {
  const words = mergeWords(text, tokens, new Float32Array(tokens.length)).filter(word => word.unknown && MEANING.test(word.text));
  if (words.length === 0) return undefined;
  const shown = [...new Set(words.map(word => shorten(word.text)))];
  const more = shown.length > 5 ? ` and ${shown.length - 5} more` : '';
  const one = shown.length === 1;
  return (
    `The model's vocabulary lacks ${shown
      .slice(0, 5)
      .map(word => JSON.stringify(word))
      .join(', ')}${more} of "${shorten(text)}": ` +
    `${one ? 'it is' : 'they are'} one and the same to it as any other unknown word, and the value of ${one ? 'this word' : 'these words'} says nothing about ${one ? 'its' : 'their'} meaning.`
  );
}

/** The sentence that warns of a caption cut to the model's length; undefined when nothing fell off. */
export function truncationWarning(tokenized: TokenizedText): string | undefined {
  const { truncated, ids } = tokenized;
  if (!truncated) return undefined;
  return `The caption is longer than the model's ${ids.length} tokens: its last ${truncated.tokens} are left out ("${shorten(truncated.text)}").`;
}

/** What is to be said of a caption as the model reads it: words that were cut off, words that the vocabulary lacks. */
export const captionWarnings = (text: string, tokenized: TokenizedText): string[] =>
  [truncationWarning(tokenized), unknownWarning(text, tokenized)].filter(warning => warning !== undefined);
