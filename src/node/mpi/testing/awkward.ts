/** @file Values whose sum in float32 depends on the order of the additions. */

/** @param rank that holds them */
export const awkward = (rank: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i * 12.9898 + rank * 78.233) * 10 ** ((i + 3 * rank) % 7)));
