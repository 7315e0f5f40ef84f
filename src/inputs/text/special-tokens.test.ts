/** @file Tokens that the files beside tokenizer.json add, against transformers; a CLIP's tokenizer.json from before transformers 4.17. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Tokenizer } from './disk.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

interface Golden {
  readonly base: { readonly vocab: Record<string, number>; readonly merges: string; readonly json: TokenizerJson };
  readonly variants: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, unknown>>;
    readonly pad: number;
    readonly size: number;
    readonly cases: readonly { readonly text: string; readonly ids: number[]; readonly offsets: [number, number][] }[];
  }[];
}
const { base, variants } = JSON.parse(readFileSync(new URL('testdata/added-tokens-golden.json', import.meta.url), 'utf8')) as Golden;
const root = mkdtempSync(join(tmpdir(), 'narrows-added-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function directory(files: Readonly<Record<string, unknown>>): string {
  const path = mkdtempSync(join(root, 'm-'));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** The small CLIP's tokenizer.json with more added tokens. */
function fastJson(extra: Readonly<Record<string, object>>): object {
  const size = Object.keys(base.vocab).length;
  const more = Object.entries(extra).map(([content, flags], i) => ({
    ...{ id: size + i, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false },
    ...flags,
  }));
  return { ...base.json, added_tokens: [...(base.json.added_tokens ?? []), ...more] };
}

function filesOf(files: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...files };
  if ('vocab.json' in out) Object.assign(out, { 'vocab.json': base.vocab, 'merges.txt': base.merges });
  if ('fast' in out) out['tokenizer.json'] = fastJson(out.fast as Record<string, object>);
  delete out.fast;
  return out;
}
const CONFIG = { tokenizer_class: 'CLIPTokenizer', bos_token: '<|startoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' };

describe('tokens that are added', () => {
  it.each(variants)('by $name: ids and offsets equal transformers', async ({ files, cases, pad, size }) => {
    const tokenizer = await Tokenizer.fromDirectory(directory(filesOf(files)));
    for (const { text, ids, offsets } of cases) {
      const encoded = tokenizer.encode(text);
      expect({ text, ids: encoded.ids, offsets: encoded.tokens.map(({ start, end }) => [start, end]) }).toEqual({ text, ids, offsets });
    }
    expect([tokenizer.padId, tokenizer.vocabularySize]).toEqual([pad, size]);
  });

  it('with other ids than the vocabulary leaves them get their own, and that is said', async () => {
    const { files } = variants.find(variant => variant.name === 'added_tokens_decoder out of order')!;
    const tokenizer = await Tokenizer.fromDirectory(directory(filesOf(files)));
    const size = Object.keys(base.vocab).length;
    expect(tokenizer.warnings).toEqual([
      `The files give the token "<extra>" the id ${size + 3}, but it is ${size}, as in transformers.`,
      `The files give the token "<toy>" the id ${size + 9}, but it is ${size + 1}, as in transformers.`,
    ]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'a number for a token',
      { 'tokenizer_config.json': { ...CONFIG, pad_token: 7 } },
      /tokenizer_config\.json: pad_token should be a token .* not 7/,
    ],
    [
      'a text for the list',
      { 'tokenizer_config.json': { ...CONFIG, additional_special_tokens: '<toy>' } },
      /additional_special_tokens should be a list/,
    ],
    [
      'a token without text',
      { 'tokenizer_config.json': { added_tokens_decoder: { 5: { special: true } } } },
      /added_tokens_decoder\.5 should be a token/,
    ],
    [
      'an id that is none',
      { 'tokenizer_config.json': { added_tokens_decoder: { x: 'a' } } },
      /added_tokens_decoder: "x" should be a token's id/,
    ],
    ['an id that is a text', { 'added_tokens.json': { '<toy>': 'one' } }, /added_tokens\.json: "<toy>" should be a token's id, not "one"/],
    ['a list for the file', { 'added_tokens.json': ['<toy>'] }, /added_tokens\.json should hold a JSON object/],
  ])('by %s are refused', async (_, files, says) => {
    await expect(Tokenizer.fromDirectory(directory({ 'tokenizer.json': fastJson({}), ...files }))).rejects.toThrow(says);
  });
});

describe("a CLIP's tokenizer.json from before transformers 4.17", () => {
  const old = {
    ...base.json,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    model: { ...base.json.model, merges: (base.json.model.merges as string[][]).map(pair => pair.join(' ')) },
  };
  it('is made anew from its vocabulary and merges, and that is said', async () => {
    const fresh = await Tokenizer.fromDirectory(directory({ 'tokenizer.json': base.json, 'tokenizer_config.json': CONFIG }));
    for (const config of [CONFIG, { bos_token: '<|startoftext|>' }]) {
      const tokenizer = await Tokenizer.fromDirectory(directory({ 'tokenizer.json': old, 'tokenizer_config.json': config }));
      expect(tokenizer.warnings.join()).toMatch(
        /tokenizer\.json is from before transformers 4\.17 .* made anew from its vocabulary and merges/,
      );
      for (const text of ['A RED dog  on\na sofa!', "it's 12 cats", '<|endoftext|>a dog'])
        expect(tokenizer.encode(text).ids).toEqual(fresh.encode(text).ids);
      expect(tokenizer.padId).toBe(base.vocab['<|endoftext|>']);
    }
  });

  it('keeps further added tokens; one of another class is left as it is', async () => {
    const added = [...(old.added_tokens ?? []), { id: Object.keys(base.vocab).length, content: '<toy>', special: true, normalized: false }];
    const tokenizer = await Tokenizer.fromDirectory(
      directory({ 'tokenizer.json': { ...old, added_tokens: added }, 'tokenizer_config.json': CONFIG }),
    );
    expect(tokenizer.encode('a <toy> dog').ids).toContain(Object.keys(base.vocab).length);
    const other = await Tokenizer.fromDirectory(
      directory({ 'tokenizer.json': old, 'tokenizer_config.json': { tokenizer_class: 'GPT2Tokenizer' } }),
    );
    expect(other.warnings).toEqual([]);
    expect(other.encode('A').ids).not.toEqual(tokenizer.encode('A').ids);
  });
});
