/** @file Named random streams over Philox: uniforms, integers, normals, permutations. Every random number in Narrows comes from here. */
import { type Cell, type Filler, plainFiller, wasmFiller } from './fill.ts';
import { philox } from './philox.ts';
import { normalQuantile } from './quantile.ts';

/** FNV-1a hash of a name, 32 bits: turns a stream's name into a counter word. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Below this many numbers a call into WebAssembly does not pay. */
const FEW = 64;
let fast: Filler | undefined;
const filler = (length: number): Filler => {
  if (length < FEW) return plainFiller;
  fast ??= wasmFiller() ?? plainFiller;
  return fast;
};

/**
 * A stream of random numbers addressed by (step, sample, index). `seed` is a non-negative integer up to 2^53; `stream` names what the
 * numbers are for (`noise`, `data`, `init`), so that two uses of one seed never share numbers.
 */
export class RandomStream {
  private readonly k0: number;
  private readonly k1: number;
  private readonly id: number;

  /** @throws RangeError when `seed` is not a non-negative safe integer. */
  constructor(
    readonly seed: number,
    readonly stream: string,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed must be a non-negative integer, got ${seed}.`);
    this.k0 = seed >>> 0;
    this.k1 = Math.floor(seed / 2 ** 32) >>> 0;
    this.id = hashName(stream);
  }

  private cell(step: number, sample: number): Cell {
    return [sample, step, this.id, this.k0, this.k1];
  }

  /** Fills `out` with raw 32-bit words of (step, sample). */
  words(step: number, sample: number, out: Uint32Array): Uint32Array {
    filler(out.length).words(this.cell(step, sample), out);
    return out;
  }

  /** Fills `out` with standard normal numbers of (step, sample). */
  normals(step: number, sample: number, out: Float32Array): Float32Array {
    filler(out.length).normals(this.cell(step, sample), out);
    return out;
  }

  /** A sequential reader of (step, sample): for code that draws a varying number of values, such as a scene. */
  reader(step: number, sample: number): RandomReader {
    const block = new Uint32Array(4);
    return new RandomReader(index => {
      if ((index & 3) === 0) philox({ c0: index >>> 2, c1: sample, c2: step, c3: this.id, k0: this.k0, k1: this.k1 }, block);
      return block[index & 3];
    });
  }
}

/** Draws one value after another from a (step, sample) cell of a stream. */
export class RandomReader {
  private index = 0;
  constructor(private readonly word: (index: number) => number) {}

  /** Uniform in (0, 1). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.word(this.index++) + 0.5) * 2 ** -32;
  }

  /** Integer in [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal. */
  normal(): number {
    return normalQuantile(this.uniform());
  }

  /** One element of a non-empty list. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)];
  }

  /** Shuffles a copy (Fisher-Yates). */
  shuffle<T>(list: readonly T[]): T[] {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }
}
