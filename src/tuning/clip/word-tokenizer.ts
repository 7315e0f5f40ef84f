/** @file A tokenizer of whole words made from captions: the scene tokenizer's form with another vocabulary. */
import { alignOriginal } from '../../inputs/text/aligned.ts';
import { createNormalizer } from '../../inputs/text/normalize.ts';
import { createPreTokenizer } from '../../inputs/text/pretokenize.ts';
import { SPECIAL_TOKENS, sceneTokenizerJson, type TokenizerFiles } from '../../scenes/vocabulary.ts';

const normalize = createNormalizer({ type: 'Lowercase' });
const split = createPreTokenizer({ type: 'Whitespace' });

/** The most frequent words of the captions, lower case, at most `limit`; equally frequent ones in the order of their characters. */
export function frequentWords(captions: Iterable<string>, limit: number): string[] {
  const counts = new Map<string, number>();
  for (const caption of captions)
    for (const { text } of split(normalize(alignOriginal(caption)))) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([word]) => word)
    .filter(word => !(SPECIAL_TOKENS as readonly string[]).includes(word));
}

/** Files of a word tokenizer: `<bos> words <eos>`, ids 0 to 3 for the special tokens, then the words in the order given. */
export function wordTokenizerJson(words: readonly string[], maxLength: number): TokenizerFiles {
  const files = sceneTokenizerJson(maxLength);
  const json = files['tokenizer.json'] as { model: object };
  const vocab = Object.fromEntries([...SPECIAL_TOKENS, ...words].map((word, id) => [word, id]));
  return { ...files, 'tokenizer.json': { ...json, model: { ...json.model, vocab } } };
}
