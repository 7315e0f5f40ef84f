/** @file Words as a reader sees them, through CLIP's tokenizer. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Tokenizer } from './tokenizer.ts';
import { mergeWords } from './words.ts';

const clip = new Tokenizer(JSON.parse(gunzipSync(readFileSync(new URL('testdata/clip-tokenizer.json.gz', import.meta.url))).toString()));

/** Words with the number of their tokens. */
function words(text: string): [string, number][] {
  const { tokens } = clip.encode(text);
  const merged = mergeWords(
    text,
    tokens,
    tokens.map(() => 1),
  );
  for (const word of merged) expect(text.slice(word.start, word.end)).toBe(word.text);
  expect(merged.flatMap(word => word.tokens)).toEqual(tokens.flatMap((token, i) => (token.special ? [] : [i])));
  return merged.map(word => [word.text, word.value]);
}

test.each<[string, [string, number][]]>([
  [
    "it's the dog's ball!",
    [
      ["it's", 2],
      ['the', 1],
      ["dog's", 2],
      ['ball', 1],
      ['!', 1],
    ],
  ],
  [
    'naïve café — déjà vu',
    [
      ['naïve', 3],
      ['café', 1],
      ['—', 1],
      ['déjà', 3],
      ['vu', 1],
    ],
  ],
  [
    "a 'cat'",
    [
      ['a', 1],
      ["'", 1],
      ['cat', 1],
      ["'", 1],
    ],
  ],
  [
    'left-lower opacity, 3.14',
    [
      ['left', 1],
      ['-', 1],
      ['lower', 1],
      ['opacity', 2],
      [',', 1],
      ['3.14', 4],
    ],
  ],
  [
    'family 👨‍👩‍👧‍👦 🐱🚀',
    [
      ['family', 1],
      ['👨‍👩‍👧‍👦', 6],
      ['🐱', 1],
      ['🚀', 1],
    ],
  ],
  ['日本語', [['日本語', 4]]],
  [
    'wait...',
    [
      ['wait', 1],
      ['...', 1],
    ],
  ],
  // Decomposed accents: the tokenizer's offsets leave the last mark out, the word has it.
  [
    'cafe\u0301 e\u0301te\u0301',
    [
      ['cafe\u0301', 1],
      ['e\u0301te\u0301', 2],
    ],
  ],
  [
    '  a\t<|endoftext|> b',
    [
      ['a', 1],
      ['b', 1],
    ],
  ],
  ['', []],
])('%j', (text, expected) => {
  expect(words(text)).toEqual(expected);
});

test('values add up, and white space of a token belongs to no word', () => {
  const text = 'a red fox';
  const tokens = [
    { start: 0, end: 0, special: true },
    { start: 0, end: 1, special: false },
    { start: 1, end: 3, special: false },
    { start: 3, end: 5, special: false },
    { start: 5, end: 6, special: false },
    { start: 6, end: 9, special: false },
  ];
  expect(mergeWords(text, tokens, Float32Array.of(9, 1, 2, 3, 4, 5))).toEqual([
    { text: 'a', start: 0, end: 1, value: 1, tokens: [1] },
    { text: 'red', start: 2, end: 5, value: 5, tokens: [2, 3] },
    { text: 'fox', start: 6, end: 9, value: 9, tokens: [4, 5] },
  ]);
  expect(() => mergeWords(text, tokens, [1])).toThrow(RangeError);
});
