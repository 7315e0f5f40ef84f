/** @file Fills arrays with the words and normals of one cell of a stream: in JavaScript, and several times faster in WebAssembly. */
import { CHUNK, normalKernels } from './normals-wasm.ts';
import { philox } from './philox.ts';
import { normalQuantile } from './quantile.ts';

/** All of Philox's input but the block's index: three counter words and the key, 32 bits each. */
export type Cell = readonly [c1: number, c2: number, c3: number, k0: number, k1: number];

/** Two ways of filling an array exist; they agree to the bit. */
export interface Filler {
  /** Raw 32-bit words, from the cell's first block on. */
  words(cell: Cell, out: Uint32Array): void;
  /** Standard normals, one per word. */
  normals(cell: Cell, out: Float32Array): void;
}

const normalOf = (word: number): number => normalQuantile((word + 0.5) * 2 ** -32);
const block = new Uint32Array(4);

/** The reference: works everywhere, and is quicker for a handful of numbers. */
export const plainFiller: Filler = {
  words([c1, c2, c3, k0, k1], out) {
    for (let i = 0; i < out.length; i += 4) {
      philox({ c0: i / 4, c1, c2, c3, k0, k1 }, block);
      const n = Math.min(4, out.length - i);
      for (let j = 0; j < n; j++) out[i + j] = block[j];
    }
  },
  normals([c1, c2, c3, k0, k1], out) {
    for (let i = 0; i < out.length; i += 4) {
      philox({ c0: i / 4, c1, c2, c3, k0, k1 }, block);
      const n = Math.min(4, out.length - i);
      for (let j = 0; j < n; j++) out[i + j] = normalOf(block[j]);
    }
  },
};

/** The WebAssembly filler; undefined where WebAssembly or its SIMD is missing or forbidden. */
export function wasmFiller(): Filler | undefined {
  const kernels = normalKernels();
  if (!kernels) return undefined;
  const { raw, numbers, tailWords, tailPlaces } = kernels;
  /** Draws the words from `start` on, as many as fit; returns how many of them `length` still has room for. */
  const draw = ([c1, c2, c3, k0, k1]: Cell, start: number, length: number): number => {
    const n = Math.min(CHUNK, length - start);
    kernels.words(Math.ceil(n / 4), { c0: start / 4, c1, c2, c3, k0, k1 });
    return n;
  };
  return {
    words(cell, out) {
      for (let start = 0; start < out.length; start += CHUNK) {
        const n = draw(cell, start, out.length);
        out.set(n < CHUNK ? raw.subarray(0, n) : raw, start);
      }
    },
    normals(cell, out) {
      for (let start = 0; start < out.length; start += CHUNK) {
        const n = draw(cell, start, out.length);
        const left = kernels.normals(n);
        for (let i = 0; i < left; i++) numbers[tailPlaces[i] / 4] = normalOf(tailWords[i]);
        out.set(n < CHUNK ? numbers.subarray(0, n) : numbers, start);
      }
    },
  };
}
