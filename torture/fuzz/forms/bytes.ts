/** @file Any file as bytes: bits turned, ranges cut, doubled or swapped, lengths made absurd, pieces of another file. */
import { choose, type Form, type Mutation, place } from '../mutation.ts';

/** Numbers at which lengths and counts break. */
const LENGTHS = [0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x7fffff00];

const splice = (content: Buffer, at: number, remove: number, insert: Uint8Array = new Uint8Array()): Buffer =>
  Buffer.concat([content.subarray(0, at), insert, content.subarray(at + remove)]);

function written(content: Buffer, at: number, { size, value }: Mutation): Buffer {
  const out = Buffer.from(content);
  const width = [1, 2, 4, 8][size % 4];
  const number = BigInt.asUintN(8 * width, BigInt(LENGTHS[value % LENGTHS.length]));
  const little = value % 3 > 0;
  for (let i = 0; i < width && at + i < out.length; i++) out[at + (little ? i : width - 1 - i)] = Number((number >> BigInt(8 * i)) & 0xffn);
  return out;
}

type Step = (content: Buffer, mutation: Mutation, at: number, others: readonly Buffer[]) => Buffer;

/** A file that ends early. Its step stands first: a form says by it what must never go unnoticed. */
export const CUT = 0;

const STEPS: readonly Step[] = [
  (content, _, at) => content.subarray(0, at),
  (content, { value }, at) => {
    const out = Buffer.from(content);
    if (out.length > 0) out[at] ^= 1 << (value % 8);
    return out;
  },
  (content, { value }, at) => {
    const out = Buffer.from(content);
    if (out.length > 0) out[at] = [0, 0xff, value & 0xff][value % 3];
    return out;
  },
  (content, mutation, at) => written(content, at, mutation),
  (content, mutation, at) => written(content, place(mutation, Math.min(content.length, 256)) + 0 * at, mutation),
  (content, { size }, at) => splice(content, at, size),
  (content, { size, value }, at) => splice(content, at, 0, Buffer.alloc(Math.min(size, 4096), value & 0xff)),
  (content, { size }, at) => splice(content, at, 0, content.subarray(at, at + size)),
  (content, { size, value }, at) => {
    const from = value % Math.max(1, content.length);
    return splice(content, at, size, content.subarray(from, from + size));
  },
  (content, mutation, at, others) => {
    if (others.length === 0) return content.subarray(0, at);
    const other = choose(mutation, others);
    return Buffer.concat([content.subarray(0, at), other.subarray(place(mutation, other.length))]);
  },
  content => splice(content, 0, content.length),
];

/** Which step a mutation is. */
export const byteStep = ({ kind }: Mutation): number => kind % STEPS.length;

/** Bytes of any kind. */
export const bytes: Form = {
  apply: (content, mutation, others) => STEPS[byteStep(mutation)](content, mutation, place(mutation, content.length), others),
};
