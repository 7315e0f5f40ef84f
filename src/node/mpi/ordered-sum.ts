/**
 * @file Sums over ranks whose order is fixed. Each rank adds up one slice of everyone's values and hands the sums to all: what goes over the
 * wire is what a ring all-reduce sends, 2·(N − 1)/N of the data, but the order of the additions does not depend on routing.
 */
import type { Ranks } from './ranks.ts';

type Floats = Float32Array | Float64Array;

/** Values that go over the wire at once: what is received of a bucket takes as much memory as the bucket. */
const BUCKET = 1 << 22;

/** Where each rank's slice of `length` values begins, and the end. */
export const slices = (length: number, size: number): number[] =>
  Array.from({ length: size + 1 }, (_, r) => Math.floor((r * length) / size));

const bytes = (view: Floats): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** The sum of equally long arrays, the first to the last, in the first one's type. */
export function sumInOrder<A extends Floats>(parts: readonly A[]): A {
  const sum = parts[0].slice() as A;
  for (const part of parts.slice(1)) for (let i = 0; i < sum.length; i++) sum[i] += part[i];
  return sum;
}

/**
 * Combines every rank's values, slice by slice, and hands the result to all, in place. The transport of a bucket runs while the one before
 * is combined. @param combine makes one array of the ranks' slices, which come by rank; the same on all ranks
 */
export async function orderedAllReduce<A extends Floats>(
  ranks: Pick<Ranks, 'size' | 'exchange' | 'allGather'>,
  data: A,
  combine: (parts: readonly A[]) => A = sumInOrder,
): Promise<void> {
  const Type = data.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => A;
  const asFloats = (b: Uint8Array<ArrayBuffer>): A => new Type(b.buffer, b.byteOffset, b.byteLength / data.BYTES_PER_ELEMENT);
  const buckets = Array.from({ length: Math.ceil(data.length / BUCKET) }, (_, k) => data.subarray(k * BUCKET, (k + 1) * BUCKET) as A);
  const scatter = (bucket: A): Promise<A[]> => {
    const bounds = slices(bucket.length, ranks.size);
    return ranks.exchange(bounds.slice(1).map((to, r) => bytes(bucket.subarray(bounds[r], to)))).then(parts => parts.map(asFloats));
  };
  let coming = buckets.length ? scatter(buckets[0]) : undefined;
  for (const [k, bucket] of buckets.entries()) {
    const parts = await coming!;
    coming = k + 1 < buckets.length ? scatter(buckets[k + 1]) : undefined;
    // Where this fails the other transport still ends.
    coming?.catch(() => {});
    const gathered = await ranks.allGather(bytes(combine(parts)));
    let at = 0;
    for (const slice of gathered) {
      bytes(bucket).set(slice, at);
      at += slice.length;
    }
  }
}
