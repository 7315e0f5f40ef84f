/** @file Token ids and offsets against those of Hugging Face's Rust tokenizers; truncation, batches, and what bad files get. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Tokenizer } from './disk.ts';
import { requireKnown, requireText, truncationWarning } from './require-text.ts';
import type { TokenizedText } from './tokenizer.ts';
import type { TokenizerJson } from './tokenizer-files.ts';

const testdata = (name: string): Buffer => readFileSync(new URL(`testdata/${name}`, import.meta.url));
const unzip = (name: string): Buffer => gunzipSync(testdata(name));
const parse = <T>(bytes: Buffer): T => JSON.parse(bytes.toString('utf8')) as T;

type Case = { text: string; ids: number[]; offsets: [number, number][] };

/** Offsets in code points, as Python counts them. */
function codePointOffsets(text: string, encoded: TokenizedText): [number, number][] {
  const count = (units: number): number => [...text.slice(0, units)].length;
  return encoded.tokens.map(token => [count(token.start), count(token.end)]);
}

function expectCases(tokenizer: Tokenizer, cases: readonly Case[]): void {
  for (const { text, ids, offsets } of cases) {
    const encoded = tokenizer.encode(text);
    expect({ text, ids: encoded.ids, offsets: codePointOffsets(text, encoded) }).toEqual({ text, ids, offsets });
    expect(encoded.tokens.map(token => token.id)).toEqual(encoded.ids);
  }
}

function directory(files: Record<string, string | Buffer>): string {
  const path = mkdtempSync(join(tmpdir(), 'narrows-text-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

const clipJson = unzip('clip-tokenizer.json.gz');
const companions = {
  'tokenizer_config.json': testdata('tokenizer_config.json'),
  'special_tokens_map.json': testdata('special_tokens_map.json'),
};
const clipGolden = parse<{ cases: Case[] }>(testdata('clip-golden.json')).cases;

const wordLevel: TokenizerJson = {
  added_tokens: ['<pad>', '<unk>', '<bos>', '<eos>'].map((content, id) => ({ id, content, special: true, normalized: false })),
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<bos>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '<eos>', type_id: 0 } },
    ],
    special_tokens: { '<bos>': { id: '<bos>', ids: [2], tokens: ['<bos>'] }, '<eos>': { id: '<eos>', ids: [3], tokens: ['<eos>'] } },
  },
  model: {
    type: 'WordLevel',
    unk_token: '<unk>',
    vocab: { '<pad>': 0, '<unk>': 1, '<bos>': 2, '<eos>': 3, a: 4, red: 5, fox: 6, and: 7, cat: 8, ',': 9 },
  },
};
const wordConfig = { pad_token: '<pad>', model_max_length: 6 };

describe('CLIP', () => {
  test('ids and offsets equal the golden ones', async () => {
    const tokenizer = await Tokenizer.fromDirectory(directory({ 'tokenizer.json': clipJson, ...companions }));
    expect(clipGolden).toHaveLength(30);
    expectCases(tokenizer, clipGolden);
    expect([tokenizer.maxLength, tokenizer.padId, tokenizer.vocabularySize]).toEqual([77, 49407, 49408]);
    expect(tokenizer.textOf(2368)).toBe('cat</w>');
  });

  test('only vocab.json and merges.txt give the same', async () => {
    const { model } = parse<{ model: { vocab: Record<string, number>; merges: string[][] } }>(clipJson);
    const merges = `#version: 0.2\n${model.merges.map(pair => pair.join(' ')).join('\n')}\n`;
    const path = directory({ 'vocab.json': JSON.stringify(model.vocab), 'merges.txt': merges, ...companions });
    expectCases(await Tokenizer.fromDirectory(path), clipGolden);
  });

  test('a long text keeps both ends and says what fell off', async () => {
    const tokenizer = new Tokenizer(parse(clipJson), parse(companions['tokenizer_config.json']));
    const text = 'a photo of a cat 🐱 that sleeps';
    const encoded = tokenizer.encode(text, { maxLength: 6 });
    expect(encoded.ids).toEqual([49406, 320, 1125, 539, 320, 49407]);
    expect(encoded.truncated).toEqual({ text: 'cat 🐱 that sleeps', tokens: 4 });
    expect(truncationWarning(encoded)).toContain("longer than the model's 6 tokens: its last 4 are left out");
    expect(tokenizer.encode(text).truncated).toBeUndefined();
    expect(truncationWarning(tokenizer.encode(text))).toBeUndefined();
    expect(() => tokenizer.encode(text, { maxLength: 1 })).toThrow('no room for the 2 special ones');
  });

  test('offsets are UTF-16 offsets into the caption', () => {
    const tokenizer = new Tokenizer(parse(clipJson));
    const text = '🐱 CAFÉ';
    expect(tokenizer.encode(text).tokens.map(({ start, end }) => text.slice(start, end))).toEqual(['', '🐱', 'CAFÉ', '']);
    expect(tokenizer.maxLength).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('other tokenizers', () => {
  const groups = parse<{ name: string; json: TokenizerJson | null; cases: Case[] }[]>(unzip('rust-golden.json.gz'));
  test.each(groups)('$name equals Rust on odd texts', ({ json, cases }) => {
    expectCases(new Tokenizer(json ?? parse(clipJson)), cases);
  });

  test('a word-level tokenizer as shipped models have it', () => {
    const tokenizer = new Tokenizer(wordLevel, wordConfig);
    const { ids, tokens, allUnknown } = tokenizer.encode('A red Zebra');
    expect(ids).toEqual([2, 4, 5, 1, 3]);
    expect(tokens[3]).toEqual({ id: 1, text: '<unk>', start: 6, end: 11, special: false, unknown: true });
    expect(tokens[0]).toEqual({ id: 2, text: '<bos>', start: 0, end: 0, special: true });
    expect(allUnknown).toBe(false);
    expect(tokenizer.encode('a red fox and a cat').truncated).toEqual({ text: 'a cat', tokens: 2 });
  });

  test('BertPreTokenizer cuts at punctuation', () => {
    const tokenizer = new Tokenizer({ ...wordLevel, pre_tokenizer: { type: 'BertPreTokenizer' } }, wordConfig);
    expect(tokenizer.encode('fox,cat').ids).toEqual([2, 6, 9, 8, 3]);
  });
});

describe('batches', () => {
  test('are padded on the right to the longest, with a mask', () => {
    const { inputIds, attentionMask, rows } = new Tokenizer(wordLevel, wordConfig).encodeBatch(['fox', 'a red cat', '']);
    expect(inputIds).toMatchObject({ dtype: 'int32', shape: [3, 5] });
    expect([...inputIds.data]).toEqual([2, 6, 3, 0, 0, 2, 4, 5, 8, 3, 2, 3, 0, 0, 0]);
    expect([...attentionMask.data]).toEqual([1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    expect(rows[1].tokens).toHaveLength(5);
  });

  test('take a fixed length, cutting what is longer', () => {
    const batch = new Tokenizer(wordLevel, wordConfig).encodeBatch(['fox', 'a red cat'], { padding: 4 });
    expect([...batch.inputIds.data]).toEqual([2, 6, 3, 0, 2, 4, 5, 3]);
    expect(batch.rows[1].truncated).toEqual({ text: 'cat', tokens: 1 });
  });

  test('need a padding token only when rows differ', () => {
    const tokenizer = new Tokenizer(wordLevel);
    expect(tokenizer.encodeBatch(['fox', 'cat']).inputIds.shape).toEqual([2, 3]);
    expect(() => tokenizer.encodeBatch(['fox', 'a cat'])).toThrow('names no "pad_token"');
  });
});

describe('bad input', () => {
  test('empty text is encoded, but can be refused', () => {
    const { ids, allUnknown } = new Tokenizer(wordLevel, wordConfig).encode('');
    expect([ids, allUnknown]).toEqual([[2, 3], false]);
    expect(() => requireText('')).toThrow('The caption is empty');
    expect(() => requireText(' \n')).toThrow('only white space');
    expect(requireText('fox')).toBe('fox');
  });

  test('a text of only unknown words is reported', () => {
    const tokenizer = new Tokenizer(wordLevel, wordConfig);
    const encoded = tokenizer.encode('Ozymandias 🐱');
    expect(encoded.allUnknown).toBe(true);
    expect(() => requireKnown('Ozymandias 🐱', encoded)).toThrow('knows no word of "Ozymandias 🐱"');
    expect(requireKnown('fox', tokenizer.encode('fox')).ids).toEqual([2, 6, 3]);
  });

  test('a missing or broken file is named', async () => {
    await expect(Tokenizer.fromDirectory(directory({}))).rejects.toThrow(/tokenizer\.json is missing: copy it .*save_pretrained/);
    await expect(Tokenizer.fromDirectory(directory({ 'tokenizer.json': '{"model"' }))).rejects.toThrow('is not valid JSON');
    await expect(Tokenizer.fromDirectory(directory({ 'tokenizer.json': '{}' }))).rejects.toThrow('has no "model" entry');
    const notClip = directory({ 'vocab.json': '{"a": 0}', 'merges.txt': '' });
    await expect(Tokenizer.fromDirectory(notClip)).rejects.toThrow('not a CLIP vocabulary');
  });

  test('an unknown component is named', () => {
    expect(() => new Tokenizer({ ...wordLevel, normalizer: { type: 'Magic' } })).toThrow('normalizer "Magic" is not supported');
    expect(() => new Tokenizer({ ...wordLevel, pre_tokenizer: { type: 'Magic' } })).toThrow('pre_tokenizer "Magic"');
    expect(() => new Tokenizer({ ...wordLevel, model: { type: 'Magic' } })).toThrow('model type "Magic"');
    expect(() => new Tokenizer({ ...wordLevel, model: { type: 'BPE' } })).toThrow('its model entry is malformed');
    const pattern = { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' };
    expect(() => new Tokenizer({ ...wordLevel, pre_tokenizer: pattern })).toThrow('cannot be understood');
  });
});
