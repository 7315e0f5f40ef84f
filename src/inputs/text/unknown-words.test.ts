import { describe, expect, it } from 'vitest';
import { unknownWarning } from './require-text.ts';
import { Tokenizer } from './tokenizer.ts';
import { mergeWords } from './words.ts';

const vocabulary = Object.fromEntries(['<unk>', 'a', 'chest', 'with', 'left', '-', 'sided'].map((word, id) => [word, id]));
const tokenizer = new Tokenizer({
  pre_tokenizer: { type: 'Whitespace' },
  model: { type: 'WordLevel', vocab: vocabulary, unk_token: '<unk>' },
});

describe('words that the vocabulary lacks', () => {
  it('are marked, and named in one sentence', () => {
    const text = 'a chest with left-sided pneumothorax and effusion';
    const encoded = tokenizer.encode(text);
    const words = mergeWords(
      text,
      encoded.tokens,
      encoded.tokens.map((_, i) => i),
    );
    expect(words.filter(word => word.unknown).map(word => word.text)).toEqual(['pneumothorax', 'and', 'effusion']);
    expect(words.find(word => word.text === 'chest')).not.toHaveProperty('unknown');
    expect(unknownWarning(text, encoded)).toMatch(/^The model's vocabulary lacks "pneumothorax", "and", "effusion" of "a chest with/);
    expect(encoded.allUnknown).toBe(false);
  });

  it('are none where all are known, and a part makes the word', () => {
    expect(unknownWarning('a chest', tokenizer.encode('a chest'))).toBeUndefined();
    expect(unknownWarning('a chest, left', tokenizer.encode('a chest, left'))).toBeUndefined();
    // Marks of punctuation mean nothing by themselves; emoji and signs do.
    expect(unknownWarning('a chest —', tokenizer.encode('a chest —'))).toBeUndefined();
    for (const sign of ['🧀', '👩‍👩‍👧', '♥', '€', '✂'])
      expect(unknownWarning(`a chest ${sign}`, tokenizer.encode(`a chest ${sign}`))).toContain(`lacks "${sign}"`);
    const parts = [
      { start: 0, end: 3, special: false },
      { start: 3, end: 6, special: false, unknown: true },
    ];
    expect(mergeWords('abcdef', parts, [1, 2])).toEqual([{ text: 'abcdef', start: 0, end: 6, value: 3, tokens: [0, 1], unknown: true }]);
    expect(unknownWarning('abcdef', { tokens: parts as never })).toMatch(
      /lacks "abcdef".*the value of this word says nothing about its meaning\.$/,
    );
  });
});
