import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { parseJson } from './config.ts';
import { openCheckpoint, readConfig, readJson, sha256File } from './disk.ts';
import { checkpointHash } from './hash.ts';
import { readFloats } from './safetensors.ts';
import { saveCheckpoint } from './save.ts';
import { writeSafetensors } from './write.ts';

let root: string;
let directory: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-checkpoint-'));
});
beforeEach(async () => {
  directory = join(root, String(count++));
  await mkdir(directory);
});
afterAll(() => rm(root, { recursive: true }));

const put = (name: string, text: string) => writeFile(join(directory, name), text);
const TENSORS: Record<string, Tensor> = { c: floats([2], [1, 2]), a: floats([2], [3, 4]), b: floats([1, 3], [5, 6, 7]) };
const config = { model_type: 'clip', projection_dim: 8 };

describe('openCheckpoint and saveCheckpoint', () => {
  it('one file', async () => {
    expect(await saveCheckpoint(directory, TENSORS, { config })).toEqual(['model.safetensors']);
    const { entries, files, metadata } = await openCheckpoint(directory);
    expect([...entries.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect([files.length, metadata]).toEqual([1, { format: 'pt' }]);
    expect(await readConfig(directory)).toEqual(config);
  });

  it('shards, with the index as huggingface_hub writes it', async () => {
    const names = await saveCheckpoint(directory, TENSORS, { config, maxShardBytes: 16 });
    expect(names).toEqual(['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']);
    expect(await readJson(join(directory, 'model.safetensors.index.json'))).toEqual({
      metadata: { total_size: 28 },
      weight_map: { a: names[0], b: names[1], c: names[0] },
    });
    const { entries, files } = await openCheckpoint(directory);
    expect(files.length).toBe(2);
    for (const [name, { data }] of Object.entries(TENSORS)) expect(await readFloats(entries.get(name)!)).toEqual(data);
  });

  it('a later save leaves nothing of an earlier one that could shadow it', async () => {
    await saveCheckpoint(directory, TENSORS, { config });
    await saveCheckpoint(directory, { x: floats([4], [1, 2, 3, 4]), y: floats([1], [1]) }, { config, maxShardBytes: 4 });
    expect([...(await openCheckpoint(directory)).entries.keys()].sort()).toEqual(['x', 'y']);
    await saveCheckpoint(directory, TENSORS, { config });
    expect((await readdir(directory)).sort()).toEqual(['config.json', 'model.safetensors']);
  });

  it('keeps tensors that the index forgets', async () => {
    const [, second] = await saveCheckpoint(directory, TENSORS, { config, maxShardBytes: 16 });
    await writeSafetensors(join(directory, second), { b: TENSORS.b, extra: floats([1], [8]) });
    expect([...(await openCheckpoint(directory)).entries.keys()].sort()).toEqual(['a', 'b', 'c', 'extra']);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['nothing there', async () => rm(directory, { recursive: true }), /There is no directory/],
    ['no weights', () => put('config.json', '{}'), /has no weights: neither model.safetensors nor/],
    ['another name', () => writeSafetensors(join(directory, 'adapter.safetensors'), TENSORS), /only adapter.safetensors; rename/],
    ['index that is no JSON', () => put('model.safetensors.index.json', '{"weight_map": {,}}'), /line 1, column 17/],
    ['index without map', () => put('model.safetensors.index.json', '{"weight_map": []}'), /has no weight_map/],
    [
      'missing shard',
      () => put('model.safetensors.index.json', '{"weight_map": {"a": "s.safetensors"}}'),
      /lacks the shard s.safetensors \(1 tensors\)/,
    ],
    [
      'shard outside',
      () => put('model.safetensors.index.json', '{"weight_map": {"a": "../s.safetensors"}}'),
      /not a safetensors file of that/,
    ],
  ])('refuses: %s', async (_, prepare, message) => {
    await prepare();
    await expect(openCheckpoint(directory)).rejects.toThrow(message);
    await expect(openCheckpoint(directory)).rejects.toThrow(NarrowsError);
  });

  it('refuses: a tensor that is not in its shard', async () => {
    const [first] = await saveCheckpoint(directory, TENSORS, { config, maxShardBytes: 16 });
    await writeSafetensors(join(directory, first), { c: TENSORS.c });
    await expect(openCheckpoint(directory)).rejects.toThrow(/00001-of-00002.safetensors lacks tensor "a"/);
  });

  it('never opens pickled weights, and says how to convert them', async () => {
    await put('pytorch_model.bin', 'not even a pickle');
    await put('optimizer.pt', '');
    const error: Error = await openCheckpoint(directory).then(
      () => expect.fail('opened'),
      e => e,
    );
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toMatch(/only pickled weights \(pytorch_model.bin\)/);
    expect(error.message).toContain('save_file({k: v.clone().contiguous() for f in ["pytorch_model.bin"]');
  });
});

describe('config', () => {
  it.each([
    ['{"a": 1,}', 'unexpected "}" at line 1, column 9'],
    ['{\n  "a": 1\n  "b": 2\n}', 'unexpected "\\"" at line 3, column 3'],
    ['{"a": [1, 2}', 'unexpected "}" at line 1, column 12'],
    ['{"a": NaN}', 'unexpected "N" at line 1, column 7'],
    ['{"a": 01}', 'at line 1, column 7'],
    ['[1, 2', 'the text ends too early at line 1, column 6'],
    ['{"a": "x\ny"}', 'at line 1, column 7'],
    ['{} x', 'unexpected "x" at line 1, column 4'],
    ['{a: 1}', 'unexpected "a" at line 1, column 2'],
    [' \n', 'is empty'],
  ])('%j: %s', (text, message) => expect(() => parseJson(text, 'c.json')).toThrow(message));

  it('says what is missing', async () => {
    await expect(readConfig(directory)).rejects.toThrow(/has no config.json/);
    await put('config.json', '[]');
    await expect(readConfig(directory)).rejects.toThrow(/must hold a JSON object/);
    await expect(readConfig(join(directory, 'config.json'))).rejects.toThrow(/is a file; give the directory/);
    await expect(readConfig(join(directory, 'none'))).rejects.toThrow(/There is no directory/);
  });
});

describe('hashes', () => {
  it('of a file', async () => {
    await put('abc', 'abc');
    // FIPS 180-2, appendix B.1
    expect(await sha256File(join(directory, 'abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    await expect(sha256File(join(directory, 'none'))).rejects.toThrow(/no such file/);
  });

  it('of a checkpoint: independent of sharding, dependent on names, shapes and bytes', async () => {
    const hash = async (tensors: Record<string, Tensor>, maxShardBytes?: number) => {
      await saveCheckpoint(directory, tensors, { config, maxShardBytes });
      return checkpointHash(await openCheckpoint(directory));
    };
    const one = await hash(TENSORS);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash(TENSORS, 16)).toBe(one);
    const others: Record<string, Tensor>[] = [
      { ...TENSORS, b: floats([3, 1], [5, 6, 7]) },
      { ...TENSORS, b: floats([1, 3], [5, 6, 8]) },
      { a: TENSORS.a },
    ];
    for (const tensors of others) expect(await hash(tensors)).not.toBe(one);
  });

  it('is computed again when a file changes in place', async () => {
    await saveCheckpoint(directory, TENSORS, { config });
    const before = await checkpointHash(await openCheckpoint(directory));
    const path = join(directory, 'model.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(path, bytes);
    expect(await checkpointHash(await openCheckpoint(directory))).not.toBe(before);
  });
});
