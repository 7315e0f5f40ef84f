/** @file LZ4 as parquet files hold it: bare blocks, and Hadoop's blocks behind their lengths. */
import { NarrowsError } from '../../system/errors.ts';

const damaged = (): NarrowsError => new NarrowsError('an LZ4 block is damaged');

/** Adds what follows a length of 15: bytes of 255 and one below. */
function longLength(input: Uint8Array, at: number): { readonly more: number; readonly at: number } {
  let more = 0;
  for (;;) {
    if (at >= input.length) throw damaged();
    const byte = input[at++];
    more += byte;
    if (byte !== 255) return { more, at };
  }
}

/**
 * One block (lz4_Block_format.md of the LZ4 project): a token, literals, then a match that is copied from what stands already. A block ends
 * after literals, which may be none (as pyarrow writes a page without values).
 * @returns how many bytes were written to `output` from `to` on
 * @throws NarrowsError for a damaged block
 */
function block(input: Uint8Array, output: Uint8Array, to: number): number {
  let [at, end] = [0, to];
  while (at < input.length) {
    const token = input[at++];
    let literals = token >> 4;
    if (literals === 15) {
      const long = longLength(input, at);
      literals += long.more;
      at = long.at;
    }
    if (at + literals > input.length || end + literals > output.length) throw damaged();
    output.set(input.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at >= input.length) break;
    if (at + 2 > input.length) throw damaged();
    const offset = input[at] | (input[at + 1] << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      const long = longLength(input, at);
      length += long.more;
      at = long.at;
    }
    length += 4;
    if (offset === 0 || offset > end - to || end + length > output.length) throw damaged();
    // A match may reach into what it writes, so that a pattern repeats.
    if (offset >= length) output.copyWithin(end, end - offset, end - offset + length);
    else for (let i = 0; i < length; i++) output[end + i] = output[end + i - offset];
    end += length;
  }
  return end - to;
}

/** A bare block: parquet's codec `LZ4_RAW`. @param length bytes of the result @throws NarrowsError for a damaged block */
export function lz4Raw(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  if (block(input, output, 0) !== length) throw damaged();
  return output;
}

/**
 * Parquet's old codec `LZ4`: Hadoop's frames (lengths before and after compression, big-endian, then a block), or, by other writers, a bare
 * block. @throws NarrowsError where it is neither
 */
export function lz4Hadoop(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(length);
  let [at, end] = [0, 0];
  try {
    while (at + 8 <= input.length) {
      const [plain, packed] = [view.getUint32(at), view.getUint32(at + 4)];
      at += 8;
      if (at + packed > input.length || end + plain > length) throw damaged();
      if (block(input.subarray(at, at + packed), output, end) !== plain) throw damaged();
      at += packed;
      end += plain;
    }
    if (at !== input.length || end !== length) throw damaged();
    return output;
  } catch {
    return lz4Raw(input, length);
  }
}
