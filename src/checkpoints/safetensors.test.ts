import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { floats, ints, type Tensor, tensor } from '../tensor/tensor.ts';
import { openSafetensors } from './disk.ts';
import { readFloats, readTensor } from './safetensors.ts';
import { writeSafetensors } from './write.ts';

const golden = join(import.meta.dirname, 'testdata/all-types.safetensors');
let directory: string;
let count = 0;
const fresh = () => join(directory, `${count++}.safetensors`);
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-safetensors-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** The same tensors as testdata/make_safetensors.py. */
const TENSORS: Record<string, Tensor> = {
  'z.half': tensor('float16', [3], Uint16Array.of(0x3e00, 0xc000, 0x7bff)),
  brain: tensor('bfloat16', [2], Uint16Array.of(0x3fc0, 0xc000)),
  'a.weight': floats([2, 3], [0.5, -1, 2, 3.25, -4, 1e-3]),
  'b.weight': floats([1], [7]),
  ids: tensor('int64', [2], BigInt64Array.of(-5n, 1n << 40n)),
  double: tensor('float64', [1], Float64Array.of(0.1)),
  count: ints([2], [-7, 7]),
  bytes: tensor('uint8', [3], Uint8Array.of(0, 128, 255)),
  mask: tensor('bool', [2], Uint8Array.of(1, 0)),
  scalar: floats([], [9]),
  empty: floats([0, 4], []),
  'ключ "ö"\n': floats([1], [1]),
};

/** A file with this header (text or object) and `dataBytes` zeros. */
async function forge(header: unknown, dataBytes: number): Promise<string> {
  const json = header instanceof Buffer ? header : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = fresh();
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}
const f32 = (shape: unknown, ...offsets: unknown[]) => ({ dtype: 'F32', shape, data_offsets: offsets });

describe('reading', () => {
  it('reads every type the Rust library wrote', async () => {
    const file = await openSafetensors(golden);
    expect(file.metadata).toEqual({ format: 'pt' });
    expect([...file.tensors.keys()].sort()).toEqual(Object.keys(TENSORS).sort());
    for (const entry of file.tensors.values()) expect(await readTensor(entry)).toEqual(TENSORS[entry.name]);
  });

  it('gives absolute positions in the real file', async () => {
    const link = fresh();
    await symlink(golden, link);
    const { path, tensors } = await openSafetensors(link);
    const entry = tensors.get('b.weight')!;
    expect([path, entry.file]).toEqual([golden, golden]);
    expect((await readFile(golden)).subarray(entry.offset, entry.offset + entry.length).readFloatLE()).toBe(7);
  });

  it('converts to float32', async () => {
    const { tensors } = await openSafetensors(golden);
    const read = async (name: string) => [...(await readFloats(tensors.get(name)!))];
    expect(await read('z.half')).toEqual([1.5, -2, 65504]);
    expect(await read('brain')).toEqual([1.5, -2]);
    expect(await read('double')).toEqual([Math.fround(0.1)]);
    expect(await read('ids')).toEqual([-5, 2 ** 40]);
    expect(await read('mask')).toEqual([1, 0]);
  });

  it('opens a file with a type it cannot read, and refuses only that tensor, by name', async () => {
    const path = await forge({ w: f32([1], 0, 4), q: { dtype: 'F8_E4M3', shape: [4], data_offsets: [4, 8] } }, 8);
    const { tensors } = await openSafetensors(path);
    expect(tensors.get('q')).toMatchObject({ stored: 'F8_E4M3', shape: [4] });
    expect([...(await readFloats(tensors.get('w')!))]).toEqual([0]);
    await expect(readTensor(tensors.get('q')!)).rejects.toThrow(/"q" has type F8_E4M3/);
  });

  it('says so when the file was cut after it was opened', async () => {
    const path = await forge({ w: f32([4], 0, 16) }, 16);
    const entry = (await openSafetensors(path)).tensors.get('w')!;
    await writeFile(path, (await readFile(path)).subarray(0, -8));
    await expect(readTensor(entry)).rejects.toThrow(/cut short while in use/);
    await rm(path);
    await expect(readTensor(entry)).rejects.toThrow(/no such file/);
  });
});

describe('lying headers', () => {
  it.each<[string, unknown, number, RegExp]>([
    ['no JSON', '{"w": ', 0, /header is not JSON/],
    ['not UTF-8', Buffer.from('7b22ff223a7b7d7d', 'hex'), 0, /header is not JSON/],
    ['a list', [], 0, /not a JSON object/],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 0, /__metadata__/],
    ['unknown type', { w: { dtype: 'F33', shape: [1], data_offsets: [0, 4] } }, 4, /tensor "w" has the unknown type "F33"/],
    ['inherited name as type', { w: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4, /unknown type/],
    ['no description', { w: null }, 0, /tensor "w" has no description/],
    ['negative size', { w: f32([-1], 0, 4) }, 4, /"w" has a shape/],
    ['fractional size', { w: f32([0.5, 2], 0, 4) }, 4, /"w" has a shape/],
    ['one offset', { w: f32([1], 0) }, 4, /"w" has data_offsets/],
    ['huge offset', { w: f32([1], 0, 1e300) }, 4, /"w" has data_offsets/],
    ['reversed offsets', { w: f32([1], 4, 0) }, 4, /"w" lies at bytes 4 to 0/],
    ['out of the file', { w: f32([1], 4, 8) }, 4, /"w" lies at bytes 4 to 8, outside the file's 4 bytes/],
    ['shape too small', { w: f32([1], 0, 8) }, 8, /"w" of type F32 and shape \[1\] does not take the 8 bytes/],
    ['overflowing shape', { w: f32([2 ** 52, 2 ** 52, 2 ** 52], 0, 8) }, 8, /does not take the 8 bytes/],
    ['overlap', { v: f32([2], 0, 8), w: f32([2], 4, 12) }, 12, /"w" overlaps/],
    ['gap', { v: f32([1], 0, 4), w: f32([1], 8, 12) }, 12, /4 bytes before tensor "w"/],
    ['bytes after the end', { v: f32([1], 0, 4) }, 7, /last 3 bytes/],
    [
      'a name twice',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0077":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /"w" twice/,
    ],
  ])('%s', async (_, header, dataBytes, message) => {
    const path = await forge(header, dataBytes);
    const error = await openSafetensors(path).then(
      () => undefined,
      e => e,
    );
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });

  it.each<[string, (whole: Buffer) => Buffer, RegExp]>([
    ['an empty file', () => Buffer.alloc(0), /truncated: 0 bytes/],
    ['half a length', whole => whole.subarray(0, 5), /truncated: 5 bytes/],
    ['half a header', whole => whole.subarray(0, 100), /truncated: its header should take 768 bytes, but the file has 100/],
    ['half the data', whole => whole.subarray(0, 800), /tensor ".*" lies at bytes/],
    ['one byte missing', whole => whole.subarray(0, -1), /tensor "mask" lies at bytes 81 to 83/],
    ['a text', () => Buffer.from('This is not it.'), /header would be \d+ bytes, more than/],
    ['a Git LFS pointer', () => Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/],
  ])('%s', async (_, change, message) => {
    const path = fresh();
    await writeFile(path, change(await readFile(golden)));
    await expect(openSafetensors(path)).rejects.toThrow(message);
    await expect(openSafetensors(path)).rejects.toThrow(NarrowsError);
  });

  it('a missing file and a directory get a sentence', async () => {
    await expect(openSafetensors(join(directory, 'none'))).rejects.toThrow(/Cannot read .*none: there is no such file/);
    await expect(openSafetensors(directory)).rejects.toThrow(/not a file|is a directory/);
  });

  it('survives random damage: every tensor reads, within the file’s size, or a NarrowsError says why', async () => {
    const whole = await readFile(golden);
    const path = fresh();
    const flips = fc.array(fc.tuple(fc.nat(780), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(flips, fc.integer({ min: 0, max: whole.length }), fc.boolean(), async (changes, cut, doCut) => {
        const bytes = Buffer.from(doCut ? whole.subarray(0, cut) : whole);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        await writeFile(path, bytes);
        try {
          const { tensors } = await openSafetensors(path);
          for (const entry of tensors.values()) expect((await readTensor(entry)).data.byteLength).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          if (!(error instanceof NarrowsError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('writing', () => {
  it('writes the very bytes of the Rust library', async () => {
    const path = fresh();
    await writeSafetensors(path, TENSORS, { format: 'pt' });
    expect(await readFile(path)).toEqual(await readFile(golden));
  });

  it('round-trips any names and shapes, with data at a multiple of eight', async () => {
    const path = fresh();
    const shapes = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.array(fc.nat(4), { maxLength: 3 }), { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(shapes, async record => {
        const tensors = new Map<string, Tensor>();
        for (const [name, shape] of Object.entries(record)) {
          const size = shape.reduce((a, b) => a * b, 1);
          tensors.set(
            name,
            size % 2 ? floats(shape, new Float32Array(size).fill(size)) : tensor('uint8', shape, new Uint8Array(size).fill(3)),
          );
        }
        await writeSafetensors(path, tensors);
        const file = await openSafetensors(path);
        expect(file.tensors.size).toBe(tensors.size);
        for (const [name, value] of tensors) expect(await readTensor(file.tensors.get(name)!)).toEqual(value);
        expect(Number((await readFile(path)).readBigUInt64LE()) % 8).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('writes views of larger buffers, and refuses malformed tensors by name', async () => {
    const path = fresh();
    await writeSafetensors(path, [['v', floats([2], new Float32Array([1, 2, 3, 4]).subarray(1, 3))]]);
    expect([...(await readFloats((await openSafetensors(path)).tensors.get('v')!))]).toEqual([2, 3]);
    const bad: Tensor = { dtype: 'float32', shape: [3], data: new Float32Array(2) };
    await expect(writeSafetensors(path, { bad })).rejects.toThrow(/"bad" has 2 values but shape \[3\]/);
    const twice: [string, Tensor][] = [
      ['v', floats([1], [1])],
      ['v', floats([1], [2])],
    ];
    await expect(writeSafetensors(path, twice)).rejects.toThrow(/"v" is given twice/);
  });
});
