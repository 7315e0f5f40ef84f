import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Cell, plainFiller, wasmFiller } from './fill.ts';
import { CHUNK, normalKernels } from './normals-wasm.ts';
import { normalQuantile } from './quantile.ts';
import { RandomStream } from './random.ts';

const fast = wasmFiller()!;
const bits = (x: Float32Array | Uint32Array): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const cells: fc.Arbitrary<Cell> = fc.tuple(word, word, word, word, word);
// Lengths around a block, a vector of blocks, a chunk, and several chunks.
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 70 }),
  fc.integer({ min: CHUNK - 20, max: CHUNK + 20 }),
  fc.integer({ min: 0, max: 5 * CHUNK }),
);

describe('the WebAssembly filler', () => {
  it('exists here', () => expect(fast).toBeDefined());

  it('gives the words and normals of the JavaScript to the bit, whatever cell and length', () => {
    fc.assert(
      fc.property(cells, lengths, (cell, n) => {
        const words = [new Uint32Array(n), new Uint32Array(n)];
        const normals = [new Float32Array(n), new Float32Array(n)];
        [plainFiller, fast].forEach((filler, i) => {
          filler.words(cell, words[i]);
          filler.normals(cell, normals[i]);
        });
        return bits(words[0]).equals(bits(words[1])) && bits(normals[0]).equals(bits(normals[1]));
      }),
      { numRuns: 150 },
    );
  });

  it('does so in a long array that starts in the middle of its buffer and has an odd length', () => {
    const n = 1_500_007;
    const cell: Cell = [5, 6, 7, 8, 9];
    const plain = new Float32Array(n);
    plainFiller.normals(cell, plain);
    const around = new Float32Array(n + 5).fill(7);
    fast.normals(cell, around.subarray(3, n + 3));
    expect(bits(around.subarray(3, n + 3)).equals(bits(plain))).toBe(true);
    expect([...around.subarray(0, 3), ...around.subarray(n + 3)]).toEqual([7, 7, 7, 7, 7]);
  });

  // Known-answer vectors of Random123 1.14 (kat_vectors) whose block counter an array can start from: only zero.
  it('knows the answer to zeros', () => {
    for (const filler of [plainFiller, fast]) {
      const out = new Uint32Array(4);
      filler.words([0, 0, 0, 0, 0], out);
      expect([...out]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    }
  });
});

describe('the kernels', () => {
  const kernels = normalKernels()!;

  it.each([
    [
      [-1, -1, -1, -1, -1, -1],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('know the answer %# of Random123', ([c0, c1, c2, c3, k0, k1], expected) => {
    kernels.words(1, { c0, c1, c2, c3, k0, k1 });
    expect([...kernels.raw.subarray(0, 4)]).toEqual(expected);
  });

  /** Runs given words through the kernel; JavaScript finishes what is left. */
  function normalsOf(words: readonly number[]): { normals: Float32Array; left: number[] } {
    kernels.raw.set(words);
    const left = kernels.normals(words.length);
    const { numbers, tailWords, tailPlaces } = kernels;
    for (let i = 0; i < left; i++) {
      expect(words[tailPlaces[i] / 4]).toBe(tailWords[i]);
      numbers[tailPlaces[i] / 4] = normalQuantile((tailWords[i] + 0.5) * 2 ** -32);
    }
    return { normals: numbers.slice(0, words.length), left: [...tailWords.subarray(0, left)] };
  }
  const expected = (words: readonly number[]): Float32Array => Float32Array.from(words, w => normalQuantile((w + 0.5) * 2 ** -32));

  it('agree at the ends, at the middle and where the tails begin', () => {
    const around = (w: number): number[] => Array.from({ length: 65 }, (_, i) => Math.floor(w) + i - 32).filter(v => v >= 0 && v < 2 ** 32);
    const words = [0, 0.075 * 2 ** 32, 2 ** 31, 0.925 * 2 ** 32, 2 ** 32 - 1].flatMap(around);
    expect(bits(normalsOf(words).normals).equals(bits(expected(words)))).toBe(true);
  });

  it('leave to JavaScript the words whose float32 rounding is in doubt, and nothing that an earlier call left behind', () => {
    // Both quantiles lie within 2^-43 of the middle between two float32 numbers; found by going through all words.
    const doubtful = [283147, 322108520];
    normalsOf(Array.from({ length: CHUNK }, (_, i) => i));
    const words = Array.from({ length: 19 }, (_, i) => 2 ** 31 + i);
    words[5] = doubtful[0];
    words[18] = doubtful[1];
    const { normals, left } = normalsOf(words);
    expect(left).toEqual(doubtful);
    expect(bits(normals).equals(bits(expected(words)))).toBe(true);
  });

  it('agree when every word lies in a tail, and fill a chunk with them', () => {
    const words = Array.from({ length: CHUNK }, (_, i) => (i % 2 ? 2 ** 32 - 1 - i * 70_001 : i * 70_001));
    expect(bits(normalsOf(words).normals).equals(bits(expected(words)))).toBe(true);
  });
});

describe('without WebAssembly', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('a stream gives the same numbers', async () => {
    const forbidden = class {
      constructor() {
        throw new EvalError('Refused by the content security policy');
      }
    };
    const with_ = new RandomStream(2 ** 53 - 1, 'noise').normals(3, 4, new Float32Array(1001));
    for (const missing of [undefined, { Module: forbidden }]) {
      vi.stubGlobal('WebAssembly', missing);
      vi.resetModules();
      expect(wasmFiller()).toBeUndefined();
      const fresh = await import('./random.ts');
      const without = new fresh.RandomStream(2 ** 53 - 1, 'noise').normals(3, 4, new Float32Array(1001));
      expect(bits(without).equals(bits(with_))).toBe(true);
    }
  });
});

describe('streams over either filler', () => {
  it('equal a number-by-number reading, for seeds up to 2^53 - 1', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.string({ maxLength: 12 }),
        word,
        word,
        fc.integer({ min: 1, max: 400 }),
        (seed, name, step, sample, n) => {
          const stream = new RandomStream(seed, name);
          const reader = stream.reader(step, sample);
          const single = Float32Array.from({ length: n }, () => reader.normal());
          return bits(stream.normals(step, sample, new Float32Array(n))).equals(bits(single));
        },
      ),
      { numRuns: 200 },
    );
  });
});
