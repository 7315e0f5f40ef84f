/** @file What SigLIP's tokenizer does with a text before it looks for special tokens. Source: transformers' tokenization_siglip.py. */
import { type AddedToken, addedTokenSplitter } from '../added-tokens.ts';
import { type Aligned, AlignedBuilder, mapCharacters, prepend } from '../aligned.ts';
import { BLANK } from './normalizer.ts';

/**
 * Puts the blank mark in front and, with `lowerCase`, lower-cases all that is no special token (nor another that is looked for in
 * normalised text). A special token in capitals becomes that token.
 */
export function siglipText(added: readonly AddedToken[], lowerCase: boolean): (piece: Aligned) => Aligned {
  const split = addedTokenSplitter(
    added.filter(token => token.special || token.normalized).map(token => ({ ...token, lstrip: false, rstrip: false })),
  );
  return piece => {
    const plain = mapCharacters(piece, character => (character === BLANK ? ' ' : character));
    const marked = prepend(plain, BLANK);
    if (!lowerCase) return marked;
    const out = new AlignedBuilder();
    for (const section of split(marked)) {
      const { text, starts, ends } = section.token ? section.piece : mapCharacters(section.piece, character => character.toLowerCase());
      for (let i = 0; i < text.length; i++) out.push(text[i], starts[i], ends[i]);
    }
    return out.build();
  };
}
