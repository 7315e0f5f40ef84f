/** @file Damaged tokenizer files: every one gets a sentence that names the key, none another error. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { Tokenizer } from './disk.ts';
import { checkTokenizerJson } from './tokenizer-schema.ts';

const read = (name: string): Buffer => readFileSync(new URL(`testdata/${name}`, import.meta.url));
const rust = JSON.parse(gunzipSync(read('rust-golden.json.gz')).toString()) as { name: string; json: Record<string, unknown> | null }[];
const siglip = JSON.parse(gunzipSync(read('siglip-golden.json.gz')).toString()) as { name: string; json: Record<string, unknown> }[];
const { base } = JSON.parse(read('added-tokens-golden.json').toString()) as { base: { json: Record<string, unknown> } };
const root = mkdtempSync(join(tmpdir(), 'narrows-schema-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Paths of all values of a file but those inside vocabularies and merges, of which the first stand for the others. */
function* paths(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, inner] of entries.slice(0, path.at(-1) === 'vocab' || path.at(-1) === 'merges' ? 2 : undefined))
    yield* paths(inner, [...path, key]);
}

function changed(json: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  const copy: Record<string | number, unknown> = Array.isArray(json) ? ([...json] as never) : { ...(json as object) };
  if (rest.length > 0) copy[key] = changed(copy[key], rest, value);
  else if (value === undefined && !Array.isArray(copy)) delete copy[key];
  else copy[key] = value;
  return copy;
}

const VALUES = [undefined, null, 7, 'x', [], { type: 7 }, [null]];
// One of each kind will do: a run over all 26 takes a minute and finds no more.
const files = [...rust.filter((_, i) => i % 5 === 0), siglip[0]].flatMap(({ name, json }) => (json ? [{ name, json }] : []));
files.push({ name: 'clip', json: base.json });

describe('a damaged tokenizer.json', () => {
  it('gets a sentence or works, whatever value stands where', () => {
    let [tried, refused] = [0, 0];
    for (const { name, json } of files)
      for (const path of paths(json))
        for (const value of VALUES) {
          const broken = changed(json, path, value);
          tried++;
          try {
            const tokenizer = new Tokenizer(checkTokenizerJson(broken, 't'));
            tokenizer.encode('a Photo of 2 cats 🐱!', { maxLength: 50 });
          } catch (error) {
            if (!(error instanceof NarrowsError))
              expect.fail(`${name}, ${path.join('.')} = ${JSON.stringify(value)}: ${(error as Error).stack?.slice(0, 600)}`);
            refused++;
          }
        }
    expect(tried).toBeGreaterThan(1500);
    expect(refused / tried).toBeGreaterThan(0.3);
  });

  it.each<[string, (string | number)[], unknown, RegExp]>([
    ['an added token that is a number', ['added_tokens', 1, 'content'], 7, /^t: added_tokens\.1\.content is 7, not a text/],
    [
      'a merge of unknown tokens',
      ['model', 'merges', 0],
      ['q', 'qq'],
      /^t: model\.merges\[0\] makes or takes "qq", which is not in model\.vocab/,
    ],
    ['an id that is a text', ['model', 'vocab', 'a'], 'one', /^t: model\.vocab\["a"\] is "one", not an id/],
    ['a component that is a text', ['normalizer'], 'NFC', /^t: normalizer is "NFC", not an object with a "type"/],
    ['no model', ['model'], undefined, /^t has no "model" entry/],
  ])('names %s', (_, path, value, says) => {
    expect(() => checkTokenizerJson(changed(base.json, path, value), 't')).toThrow(says);
  });

  it('is named with its path where a directory is opened', async () => {
    writeFileSync(join(root, 'tokenizer.json'), JSON.stringify(changed(base.json, ['added_tokens', 0, 'id'], 'x')));
    await expect(Tokenizer.fromDirectory(root)).rejects.toThrow(`${join(root, 'tokenizer.json')}: added_tokens.0.id is "x", not an id`);
    writeFileSync(join(root, 'tokenizer.json'), '[]');
    await expect(Tokenizer.fromDirectory(root)).rejects.toThrow('should hold a JSON object');
  });
});
