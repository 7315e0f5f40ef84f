/**
 * @file Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator, so a
 * number depends on (seed, stream, step, sample, index) only and never on the order, chunking or thread in which it is drawn.
 */

/** Input of one block: the counter and the key, 32-bit words each. */
export interface PhiloxInput {
  readonly c0: number;
  readonly c1: number;
  readonly c2: number;
  readonly c3: number;
  readonly k0: number;
  readonly k1: number;
}

/** One Philox4x32-10 block: four 32-bit words of `input`, written to `out` at `at`. */
export function philox(input: PhiloxInput, out: Uint32Array, at = 0): void {
  let { c0, c1, c2, c3, k0, k1 } = input;
  for (let round = 0; round < 10; round++) {
    // High words of the 32x32-bit products by 16-bit halves of M0 = 0xd2511f53 and M1 = 0xcd9e8d57; Math.imul gives the low words.
    const aLow = c0 & 0xffff;
    const aHigh = c0 >>> 16;
    const a1 = Math.imul(aHigh, 0x1f53) >>> 0;
    const a2 = Math.imul(aLow, 0xd251) >>> 0;
    const aMid = (Math.imul(aLow, 0x1f53) >>> 16) + (a1 & 0xffff) + (a2 & 0xffff);
    const high0 = (Math.imul(aHigh, 0xd251) + (a1 >>> 16) + (a2 >>> 16) + (aMid >>> 16)) | 0;
    const low0 = Math.imul(c0, 0xd2511f53);
    const bLow = c2 & 0xffff;
    const bHigh = c2 >>> 16;
    const b1 = Math.imul(bHigh, 0x8d57) >>> 0;
    const b2 = Math.imul(bLow, 0xcd9e) >>> 0;
    const bMid = (Math.imul(bLow, 0x8d57) >>> 16) + (b1 & 0xffff) + (b2 & 0xffff);
    const high1 = (Math.imul(bHigh, 0xcd9e) + (b1 >>> 16) + (b2 >>> 16) + (bMid >>> 16)) | 0;
    const low1 = Math.imul(c2, 0xcd9e8d57);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}
