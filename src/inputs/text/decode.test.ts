import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createJoin } from './decode.ts';
import { Tokenizer } from './tokenizer.ts';
import type { TokenizerJson } from './tokenizer-files.ts';

interface Golden {
  readonly name: string;
  readonly json: TokenizerJson;
  readonly cases: readonly { readonly ids: number[]; readonly text: string; readonly all: string }[];
}
const goldens = JSON.parse(readFileSync(new URL('testdata/decode-golden.json', import.meta.url), 'utf8')) as Golden[];

describe('decoding', () => {
  it.each(goldens)("equals Rust's: $name", ({ json, cases }) => {
    const tokenizer = new Tokenizer(json);
    for (const { ids, text, all } of cases)
      expect({ ids, text: tokenizer.decode(ids), all: tokenizer.decode(ids, { keepSpecial: true }) }).toEqual({ ids, text, all });
  });

  it('leaves out ids that are no token, tidies where the config says so, and refuses an unknown decoder when it is needed', () => {
    const json = goldens.find(g => g.name === 'wordpiece')!.json;
    const ids = ['cat', '##s', ',', 'd', '##og', '!'].map(token => new Tokenizer(json).idOf(token)!);
    expect(new Tokenizer(json).decode([...ids, 9999])).toBe('cats , dog !');
    expect(new Tokenizer(json, { clean_up_tokenization_spaces: true }).decode(ids)).toBe('cats, dog!');
    expect(() => createJoin({ type: 'Telepathy' })).toThrow('tokenizer.json: the decoder "Telepathy" is not known.');
    expect(new Tokenizer({ ...json, decoder: { type: 'Telepathy' } }).encode('cat').ids).toHaveLength(1);
  });
});
