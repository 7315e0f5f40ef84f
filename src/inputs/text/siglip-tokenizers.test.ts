/** @file Tokenizers built as SigLIP's (Unigram, compiled nmt_nfkc rules) and SigLIP 2's (Gemma's byte pairs) against the Rust ones. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { alignOriginal } from './aligned.ts';
import { precompiledNormalizer } from './precompiled.ts';
import { Tokenizer } from './tokenizer.ts';
import type { TokenizerJson } from './tokenizer-files.ts';

const unzip = (name: string): Buffer => gunzipSync(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
const rules = unzip('nmt-nfkc.bin.gz').toString('base64');

interface Group {
  readonly name: string;
  readonly json: TokenizerJson;
  readonly cases: readonly { text: string; ids: number[]; offsets: [number, number][] }[];
}
const groups = JSON.parse(unzip('siglip-golden.json.gz').toString().replace('"nmt-nfkc.bin.gz"', JSON.stringify(rules))) as Group[];

test.each(groups)('$name equals Rust: ids and offsets', ({ json, cases }) => {
  const tokenizer = new Tokenizer(json);
  expect(cases.length).toBeGreaterThan(100);
  for (const { text, ids, offsets } of cases) {
    const encoded = tokenizer.encode(text);
    const count = (units: number): number => [...text.slice(0, units)].length;
    const found = encoded.tokens.map(({ start, end }) => [count(start), count(end)]);
    expect({ text, ids: encoded.ids, offsets: found }).toEqual({ text, ids, offsets });
  }
});

describe('compiled rules', () => {
  const normalize = precompiledNormalizer(rules);
  test.each([
    ['ＦＵＬＬ ﬁ ①', 'FULL fi 1'],
    ['e\u0301te\u0301', 'été'],
    ['a\u3000b\tc\u00adé', 'a b c\u00adé'],
    ['a\x07b\u200bc', 'ab c'],
    // By characters, since the grapheme is longer than Rust looks up: the mark stays apart.
    ['\uff8a\uff9f', '\u30cf\u309a'],
    ['▁a', ' a'],
    ['plain', 'plain'],
  ])('turn %j into %j', (text, expected) => {
    expect(normalize(alignOriginal(text)).text).toBe(expected);
  });

  test('keep where each character came from', () => {
    expect(normalize(alignOriginal('ﬁx'))).toEqual({ text: 'fix', starts: [0, 0, 1], ends: [1, 1, 2] });
  });

  test('none of them changes nothing; a map that is cut off is refused', () => {
    const piece = alignOriginal('ﬁ');
    expect(precompiledNormalizer(undefined)(piece)).toBe(piece);
    expect(() => precompiledNormalizer(rules.slice(0, 4000))).toThrow('precompiled_charsmap is cut off');
    expect(() => precompiledNormalizer('AA==')).toThrow('precompiled_charsmap is cut off');
  });
});
