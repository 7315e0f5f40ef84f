/** @file Tokenizers kept as SentencePiece's model files against transformers': ids, and offsets where Python has them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { ProtoWriter } from '../../../system/protobuf.ts';
import { Tokenizer } from '../disk.ts';
import { readSentencePiece } from './model-file.ts';

interface Golden {
  readonly name: string;
  readonly file: string;
  readonly nmt_nfkc: boolean;
  readonly model: string;
  readonly goldens: readonly {
    readonly config: Record<string, unknown>;
    readonly fast: boolean;
    readonly cases: readonly { readonly text: string; readonly ids: number[]; readonly offsets?: [number, number][] }[];
    readonly slow_differs: readonly string[];
  }[];
}

const unzip = (name: string): Buffer => gunzipSync(readFileSync(new URL(name, import.meta.url)));
const goldens = JSON.parse(unzip('testdata/sentencepiece-golden.json.gz').toString()) as Golden[];
const rules = unzip('../testdata/nmt-nfkc.bin.gz');
const root = mkdtempSync(join(tmpdir(), 'narrows-sentencepiece-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The model file, its compiled rules put in again (a message in two parts is one). */
function modelFile({ model, nmt_nfkc }: Golden): Uint8Array {
  const bytes = Buffer.from(model, 'base64');
  return nmt_nfkc ? Buffer.concat([bytes, new ProtoWriter().message(3, spec => spec.bytes(2, rules)).finish()]) : bytes;
}

function directory(files: Record<string, string | Uint8Array>): string {
  const path = mkdtempSync(join(root, 'm-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

const rows = goldens.flatMap(golden => golden.goldens.map(each => ({ ...golden, ...each, label: JSON.stringify(each.config) })));
const named = (name: string): Golden => goldens.find(golden => golden.name === name) as Golden;

describe('model files', () => {
  it.each(rows)('$name, $label: ids equal transformers', async ({ config, cases, fast, ...golden }) => {
    const path = directory({ [golden.file]: modelFile(golden as unknown as Golden), 'tokenizer_config.json': JSON.stringify(config) });
    const tokenizer = await Tokenizer.fromDirectory(path);
    expect(tokenizer.warnings).toEqual([]);
    expect(cases.length).toBeGreaterThan(130);
    for (const { text, ids, offsets } of cases) {
      const { tokens, ...encoded } = tokenizer.encode(text, { maxLength: 1000 });
      expect({ text, ids: encoded.ids }).toEqual({ text, ids });
      const count = (units: number): number => [...text.slice(0, units)].length;
      if (fast) expect({ text, offsets: tokens.map(({ start, end }) => [count(start), count(end)]) }).toEqual({ text, offsets });
      for (const token of tokens) expect(token.start >= 0 && token.end >= token.start && token.end <= text.length).toBe(true);
    }
  });

  it("of SigLIP: a token's offsets name its own characters", async () => {
    const golden = named('siglip');
    const config = JSON.stringify(golden.goldens[0].config);
    const tokenizer = await Tokenizer.fromDirectory(directory({ 'spiece.model': modelFile(golden), 'tokenizer_config.json': config }));
    const text = 'A photo, of the ＣＡＴ!';
    const parts = tokenizer.encode(text).tokens.filter(token => !token.special && token.text !== '▁');
    // Each character of a word is covered once, punctuation by nothing, and the text is pieced together in order.
    expect(parts.map(({ start, end }) => text.slice(start, end).trim()).join('')).toBe('AphotooftheＣＡＴ');
    expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe('a photo of the cat');
    expect([tokenizer.padId, tokenizer.maxLength]).toEqual([1, 64]);
  });

  it('without tokenizer_config.json are taken by their first pieces, and that is said', async () => {
    for (const [name, kind] of [
      ['siglip', 'SiglipTokenizer'],
      ['llama', 'LlamaTokenizer'],
      ['gemma', 'GemmaTokenizer'],
    ] as const) {
      const golden = named(name);
      const tokenizer = await Tokenizer.fromDirectory(directory({ [golden.file]: modelFile(golden) }));
      expect(tokenizer.warnings[0]).toMatch(new RegExp(`by its first pieces it is taken for a ${kind}\\.$`));
      const text = 'a photo of a red dog';
      const expected = await Tokenizer.fromDirectory(
        directory({ [golden.file]: modelFile(golden), 'tokenizer_config.json': JSON.stringify(golden.goldens[0].config) }),
      );
      expect(tokenizer.encode(text).ids).toEqual(expected.encode(text).ids);
    }
    const llama = await Tokenizer.fromDirectory(directory({ 'tokenizer.model': modelFile(named('llama')) }));
    expect(llama.warnings[1]).toMatch(/does not say "legacy".*as transformers 4 does/);
  });

  it('of other classes and kinds, and damaged ones, are refused by name', async () => {
    const golden = named('siglip');
    const bytes = modelFile(golden);
    const other = directory({ 'spiece.model': bytes, 'tokenizer_config.json': '{"tokenizer_class": "XLNetTokenizerFast"}' });
    await expect(Tokenizer.fromDirectory(other)).rejects.toThrow(
      /belongs to a XLNetTokenizerFast; SentencePiece files are read for SiglipTokenizer/,
    );
    const word = Buffer.concat([bytes, new ProtoWriter().message(2, spec => spec.varint(3, 3)).finish()]);
    expect(() => readSentencePiece(word, 'm')).toThrow('m is a SentencePiece model of the kind "word"; "unigram" and "bpe" can be read');
    expect(() => readSentencePiece(new Uint8Array(), 'm')).toThrow('m is no SentencePiece model');
    expect(() => readSentencePiece(Buffer.from('version https://git-lfs'), 'm')).toThrow(/^m is damaged at byte \d+/);
    // Cut off anywhere: a sentence, never another error.
    const small = Buffer.from(named('llama').model, 'base64');
    for (let length = 1; length < small.length; length += 97) {
      const read = (): unknown => readSentencePiece(small.subarray(0, length), 'm');
      try {
        read();
      } catch (error) {
        expect((error as Error).message).toMatch(/^m (is|:)/);
      }
    }
    const twice = new ProtoWriter();
    for (const type of [2, 1]) twice.message(1, piece => piece.string(1, 'a').varint(3, type));
    expect(() => readSentencePiece(twice.finish(), 'm')).toThrow('1 of its pieces occur in it twice');
  });
});
