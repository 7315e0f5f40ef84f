import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
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

  it('knows how much of a text stays whatever follows, for every decoder, tidied or not', () => {
    const quotes = ["'", 's', "'s", 't', "n't", '.', ',', 'x', '##x', ' ', 've', "'m", '!', "'r"];
    const words = {
      model: { type: 'WordLevel', vocab: Object.fromEntries(quotes.map((q, i) => [q, i])), unk_token: 'x' },
    } as unknown as TokenizerJson;
    const bpe = goldens.find(g => g.json.model.type === 'BPE')!.json;
    const late = {
      ...bpe,
      decoder: { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Replace', pattern: { String: 'ab' }, content: 'c' }] },
    };
    const forced = { clean_up_tokenization_spaces: true, clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: true };
    const reader = new RandomStream(3, 'settled').reader(0, 0);
    for (const json of [...goldens.map(g => g.json), words, late])
      for (const config of [{}, forced]) {
        const tokenizer = new Tokenizer(json, config);
        let most = 0;
        for (let draw = 0; draw < 60; draw++) {
          const ids = Array.from({ length: 12 }, () => reader.integer(tokenizer.vocabularySize));
          const text = tokenizer.decode(ids);
          let before = '';
          for (let n = 0; n <= ids.length; n++) {
            const settled = tokenizer.decodeSettled(ids.slice(0, n));
            expect({ ids, n, settled: text.slice(0, settled.length) }).toEqual({ ids, n, settled });
            expect(settled.startsWith(before)).toBe(true);
            before = settled;
          }
          most = Math.max(most, before.length / Math.max(1, text.length));
        }
        expect(most).toBeGreaterThan(json === late ? -1 : 0.5);
      }
  });

  it('tidies texts of WordPiece, and of BPE only where the config insists, as transformers 5', () => {
    const ids = [0, 1, 2, 3];
    const vocab = { Ġsays: 0, "Ġ'": 1, stop: 2, "'": 3 };
    const bpe = { model: { type: 'BPE', vocab, merges: [] }, decoder: { type: 'ByteLevel' } } as unknown as TokenizerJson;
    const config = { clean_up_tokenization_spaces: true };
    expect(new Tokenizer(bpe, config).decode(ids)).toBe(" says 'stop'");
    const forced = { ...config, clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: true };
    expect(new Tokenizer(bpe, forced).decode(ids)).toBe(" says'stop'");
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
