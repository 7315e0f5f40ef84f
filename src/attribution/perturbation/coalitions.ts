/** @file Coalitions as rows of 0 and 1, [M, n]: all of them, drawn ones, and names under which their values are kept. */
import type { RandomReader } from '../../tensor/random.ts';

/** Names of M coalitions of n players, equal for equal ones. */
export function coalitionKeys(coalitions: Uint8Array, n: number): string[] {
  const units = new Uint16Array(Math.ceil(n / 16));
  return Array.from({ length: n === 0 ? 0 : coalitions.length / n }, (_, m) => {
    units.fill(0);
    for (let i = 0; i < n; i++) if (coalitions[m * n + i]) units[i >> 4] |= 1 << (i & 15);
    return String.fromCharCode(...units);
  });
}

/** All 2^n coalitions, [2^n, n]; player 0 is the most significant bit of the row's number. @throws RangeError beyond 24 players */
export function allCoalitions(n: number): Uint8Array {
  if (n > 24) throw new RangeError(`${n} players have too many coalitions to list.`);
  const out = new Uint8Array(n * 2 ** n);
  for (let m = 0; m < 2 ** n; m++) for (let i = 0; i < n; i++) out[m * n + i] = (m >>> (n - 1 - i)) & 1;
  return out;
}

/** Probability of each of the 2^n coalitions (as `allCoalitions` lists them) where every player comes with probability p by itself. */
export function bernoulliWeights(n: number, p: number): Float64Array {
  const bySize = Array.from({ length: n + 1 }, (_, s) => p ** s * (1 - p) ** (n - s));
  return Float64Array.from({ length: 2 ** n }, (_, m) => bySize[bitCount(m)]);
}

/** Number of ones of a 32-bit word. */
export function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * M coalitions in which every player comes with probability p by itself, [M, n]. Rows 2k and 2k + 1 are antithetic: made from u and 1 − u,
 * which for p = 1/2 are complements.
 */
export function drawCoalitions(reader: RandomReader, count: number, n: number, p: number, antithetic = true): Uint8Array {
  const out = new Uint8Array(count * n);
  for (let m = 0; m < count; m += antithetic ? 2 : 1)
    for (let i = 0; i < n; i++) {
      const u = reader.uniform();
      if (u < p) out[m * n + i] = 1;
      if (antithetic && m + 1 < count && 1 - u < p) out[(m + 1) * n + i] = 1;
    }
  return out;
}
