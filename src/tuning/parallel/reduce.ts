/**
 * @file Gradients added up over ranks: each rank adds one range of all of them, in the order of the tree (leaves.ts), and hands its range
 * to the others, or keeps it where it alone needs it (ZeRO-1). Over the wire goes what a ring all-reduce sends.
 */
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { FlatLayout } from './flat.ts';
import { type Span, spansOf, TreeSum } from './leaves.ts';

type Arrays = ReadonlyMap<string, Float32Array>;

/** Numbers that a rank adds up at a time. */
const BUCKET = 1 << 20;

/** What is added up, and how it is cut. */
export interface Reduction {
  readonly ranks: Pick<Ranks, 'rank' | 'size' | 'exchange' | 'allGather'>;
  readonly layout: FlatLayout;
  /** Micro-batches of an update, or shares of one: leaves of the tree. */
  readonly count: number;
  /** What the sum is multiplied by: 1 / count gives the mean. */
  readonly scale: number;
  /** Rank r adds up numbers `bounds[r]` … `bounds[r + 1]`. */
  readonly bounds: readonly number[];
  /** The sums are wanted on every rank; else each has those of its range only. */
  readonly everywhere: boolean;
}

const bytes = (view: Float32Array): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const floatsOf = (b: Uint8Array<ArrayBuffer>): Float32Array => new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4);

/** Adds `b` to `a`. */
export function addInPlace(a: Float32Array, b: Float32Array): Float32Array {
  for (let i = 0; i < a.length; i++) a[i] += b[i];
  return a;
}

/** Sums of one bucket: every rank's spans of it, one behind the other, by rank. */
function combine(
  received: readonly Float32Array[],
  spans: readonly (readonly Span[])[],
  { count, scale, length }: { count: number; scale: number; length: number },
): Float32Array {
  const sum = new TreeSum<Float32Array>(count, addInPlace);
  for (const [rank, list] of spans.entries())
    for (const [i, span] of list.entries()) sum.take(span, received[rank].subarray(i * length, (i + 1) * length));
  const [whole] = sum.parts;
  for (let i = 0; i < length; i++) whole.value[i] *= scale;
  return whole.value;
}

/** The scaled sum over all micro-batches, written into `out`. @param sums this rank's, by the spans of `spansOf` @param out arrays of all parameters */
export async function reduceGradients(sums: readonly Arrays[], out: Arrays, reduction: Reduction): Promise<void> {
  const { ranks, layout, count, scale, bounds, everywhere } = reduction;
  const spans = Array.from({ length: ranks.size }, (_, r) => spansOf(count, r, ranks.size));
  const rounds = Math.ceil(Math.max(...bounds.slice(1).map((to, r) => to - bounds[r])) / BUCKET);
  /** What rank r adds up in a round. */
  const rangeOf = (round: number, r: number): { from: number; length: number } => {
    const from = Math.min(bounds[r] + round * BUCKET, bounds[r + 1]);
    return { from, length: Math.min(BUCKET, bounds[r + 1] - from) };
  };
  const send = (round: number): Promise<Float32Array[]> => {
    const parts = bounds.slice(1).map((_, r) => {
      const { from, length } = rangeOf(round, r);
      const part = new Float32Array(sums.length * length);
      for (const [i, sum] of sums.entries()) layout.read(sum, from, part.subarray(i * length, (i + 1) * length));
      return bytes(part);
    });
    return ranks.exchange(parts).then(list => list.map(floatsOf));
  };
  let coming = rounds > 0 ? send(0) : undefined;
  for (let round = 0; round < rounds; round++) {
    const received = await coming!;
    // The next bucket is on its way while this one is added up.
    coming = round + 1 < rounds ? send(round + 1) : undefined;
    coming?.catch(() => {});
    const { from, length } = rangeOf(round, ranks.rank);
    const mean = combine(received, spans, { count, scale, length });
    if (!everywhere) layout.write(out, from, mean);
    else for (const [r, part] of (await ranks.allGather(bytes(mean))).entries()) layout.write(out, rangeOf(round, r).from, floatsOf(part));
  }
}
