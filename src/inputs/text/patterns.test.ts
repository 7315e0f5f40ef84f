import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { timeLimiter } from '../../node/time-limit.ts';
import { LimitError, setTimeLimiter, withTimeLimit } from '../../system/time-limit.ts';
import { hasForeignPatterns } from './patterns.ts';
import { Tokenizer } from './tokenizer.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

const json = (pattern: string, where: 'pre_tokenizer' | 'normalizer' = 'pre_tokenizer'): TokenizerJson => ({
  [where]:
    where === 'normalizer'
      ? { type: 'Replace', pattern: { Regex: pattern }, content: '' }
      : { type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true },
  model: { type: 'WordLevel', vocab: { '<unk>': 0, a: 1 }, unk_token: '<unk>' },
});
const TEXT = 'a cheese and a keyboard and a police car and a dog';

describe("a file's own patterns", () => {
  it('have the limit of Node, which its module sets when it is imported', () => {
    expect(() =>
      withTimeLimit(() => {
        for (;;);
      }, 0.05),
    ).toThrow(LimitError);
  });

  it.each<[string, 'pre_tokenizer' | 'normalizer']>([
    ['((\\w|\\s)+)+!', 'pre_tokenizer'],
    ['(a|a?)+$|([a-z ]+)*x', 'normalizer'],
  ])(
    'that never end (%s, %s) are stopped with a sentence',
    (pattern, where) => {
      // Node's limiter in earnest, with a tenth of the patience.
      setTimeLimiter((run, seconds) => timeLimiter(run, seconds / 10));
      try {
        expect(() => new Tokenizer(json(pattern, where)).encode(TEXT)).toThrow(
          /^tokenizer\.json: its patterns took longer than 0\.5 s over "a cheese and .*" and were stopped/,
        );
      } finally {
        setTimeLimiter(timeLimiter);
      }
    },
    60_000,
  );

  it('that end are carried out as before, errors of the tokenizer included', () => {
    const tokenizer = new Tokenizer(json('[a-z]+'));
    expect(tokenizer.encode('a dog, a').ids).toEqual([1, 0, 1]);
    const bare = { ...json('[a-z]+'), model: { type: 'BPE', vocab: { a: 0 }, merges: [] } };
    expect(() => new Tokenizer(bare).encode('a dog')).toThrow('has no unknown token');
  });

  it("are distinguished from CLIP's and SigLIP's", () => {
    const clip = JSON.parse(
      gunzipSync(readFileSync(new URL('testdata/clip-tokenizer.json.gz', import.meta.url))).toString(),
    ) as TokenizerJson;
    const siglip = JSON.parse(gunzipSync(readFileSync(new URL('testdata/siglip-golden.json.gz', import.meta.url))).toString()) as {
      json: TokenizerJson;
    }[];
    expect([clip, ...siglip.map(golden => golden.json)].map(hasForeignPatterns)).toEqual([false, false, false]);
    expect(hasForeignPatterns(json('(a+)+'))).toBe(true);
  });
});
