/** @file Named random streams over Philox: uniforms, integers, normals, permutations. Every random number in Narrows comes from here. */
import { philox } from './philox.ts';

/** FNV-1a hash of a name, 32 bits: turns a stream's name into a counter word. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Standard normal quantile: Wichura's algorithm AS 241 (PPND7, Applied Statistics 37, 1988), about seven digits, as float32 noise needs.
 * The central 85 % take two short polynomials and no transcendental function.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (q <= 0.425 && q >= -0.425) {
    const r = 0.180625 - q * q;
    return (
      (q * (((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)) /
      (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1)
    );
  }
  let r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  let z: number;
  if (r <= 5) {
    r -= 1.6;
    z = (((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777) / ((0.12021132975 * r + 0.7370016425) * r + 1);
  } else {
    r -= 5;
    z = (((0.017337203997 * r + 0.42868294337) * r + 3.081226386) * r + 6.657905115) / ((0.012258202635 * r + 0.24197894225) * r + 1);
  }
  return q < 0 ? -z : z;
}

/**
 * A stream of random numbers addressed by (step, sample, index). `seed` is a non-negative integer up to 2^53; `stream` names what the
 * numbers are for (`noise`, `data`, `init`), so that two uses of one seed never share numbers.
 */
export class RandomStream {
  private readonly k0: number;
  private readonly k1: number;
  private readonly id: number;
  private readonly block = new Uint32Array(4);

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

  /** Fills `out` with raw 32-bit words of (step, sample). */
  words(step: number, sample: number, out: Uint32Array): Uint32Array {
    const whole = out.length & ~3;
    for (let i = 0; i < whole; i += 4) philox(i >>> 2, sample, step, this.id, this.k0, this.k1, out, i);
    if (whole < out.length) {
      philox(whole >>> 2, sample, step, this.id, this.k0, this.k1, this.block);
      for (let i = whole; i < out.length; i++) out[i] = this.block[i - whole];
    }
    return out;
  }

  /** Fills `out` with standard normal numbers of (step, sample). */
  normals(step: number, sample: number, out: Float32Array): Float32Array {
    const block = this.block;
    for (let i = 0; i < out.length; i += 4) {
      philox(i >>> 2, sample, step, this.id, this.k0, this.k1, block);
      const n = Math.min(4, out.length - i);
      for (let j = 0; j < n; j++) out[i + j] = normalQuantile((block[j] + 0.5) * 2 ** -32);
    }
    return out;
  }

  /** A sequential reader of (step, sample): for code that draws a varying number of values, such as a scene. */
  reader(step: number, sample: number): RandomReader {
    const block = new Uint32Array(4);
    return new RandomReader(index => {
      if ((index & 3) === 0) philox(index >>> 2, sample, step, this.id, this.k0, this.k1, block);
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
