/** @file PBM, PGM and PPM, binary and plain (P1 to P6), as Pillow reads them. No library that is kept reads them. No Node imports. */
import { NarrowsError } from '../../system/errors.ts';
import { roundHalfEven } from './wide-samples.ts';

/** A header: where the samples begin, and what they are. */
export interface PnmHeader {
  readonly kind: 1 | 2 | 3 | 4 | 5 | 6;
  readonly width: number;
  readonly height: number;
  readonly bands: 1 | 3;
  /** Largest value of a sample, 1–65535. */
  readonly maximum: number;
  readonly start: number;
}

const SPACE = new Set([9, 10, 11, 12, 13, 32]);
const HASH = 35;

/** Next word from `at`, with comments ignored; undefined at the end. */
function word(bytes: Uint8Array, from: number): { text: string; end: number } | undefined {
  let at = from;
  let text = '';
  for (; at < bytes.length; at++) {
    if (bytes[at] === HASH) {
      while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at++;
      if (text) break;
    } else if (SPACE.has(bytes[at])) {
      if (text) break;
    } else {
      text += String.fromCharCode(bytes[at]);
      if (text.length > 10) return undefined;
    }
  }
  return text ? { text, end: at } : undefined;
}

/** True for a file that begins as P1 to P6. */
export const isPnm = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] >= 0x31 && bytes[1] <= 0x36 && (SPACE.has(bytes[2]) || bytes[2] === HASH);

/** @throws NarrowsError for a header that is cut short or out of range; the message is what follows "is damaged" */
export function pnmHeader(bytes: Uint8Array): PnmHeader {
  const kind = (bytes[1] - 0x30) as PnmHeader['kind'];
  const bitmap = kind === 1 || kind === 4;
  const numbers: number[] = [];
  let at = 2;
  while (numbers.length < (bitmap ? 2 : 3)) {
    const next = word(bytes, at);
    if (!next || !/^\d+$/.test(next.text) || Number(next.text) === 0) throw new NarrowsError('a size that is no number');
    numbers.push(Number(next.text));
    at = next.end;
  }
  const [width, height, maximum = 1] = numbers;
  if (maximum > 65535) throw new NarrowsError(`a largest value of ${maximum}`);
  return { kind, width, height, bands: kind === 3 || kind === 6 ? 3 : 1, maximum, start: at + 1 };
}

/** Reads `count` plain numbers; of a bitmap each digit is one. */
function plainSamples(bytes: Uint8Array, { kind, start }: PnmHeader, count: number): Uint16Array | undefined {
  const samples = new Uint16Array(count);
  let [at, filled, value, digits] = [start, 0, 0, 0];
  for (; at <= bytes.length && filled < count; at++) {
    const code = bytes[at] ?? 32;
    const digit = code - 48;
    if (digit >= 0 && digit <= 9) {
      value = 10 * value + digit;
      if (value > 65535) return undefined;
      digits++;
    } else if (code === HASH) while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at++;
    else if (!SPACE.has(code)) return undefined;
    if (digits > 0 && (kind === 1 || digit < 0 || digit > 9)) {
      samples[filled++] = value;
      [value, digits] = [0, 0];
    }
  }
  return filled === count ? samples : undefined;
}

/**
 * The samples, row by row: bytes (0–255) where the file's largest value fits into one, else as they stand.
 * @throws NarrowsError for a picture that is cut short or has a value above the largest; the message is what follows "is damaged"
 */
export function pnmSamples(bytes: Uint8Array, header: PnmHeader): Uint8Array | Uint16Array {
  const { kind, width, height, bands, maximum, start } = header;
  const count = width * height * bands;
  if (kind === 4) {
    const stride = Math.ceil(width / 8);
    if (bytes.length < start + stride * height) throw new NarrowsError('');
    const out = new Uint8Array(count);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++, to++) out[to] = (bytes[start + y * stride + (x >> 3)] >> (7 - (x & 7))) & 1 ? 0 : 255;
    return out;
  }
  const wide = maximum > 255;
  let samples: Uint16Array | Uint8Array | undefined;
  if (kind <= 3) samples = plainSamples(bytes, header, count);
  else if (bytes.length >= start + count * (wide ? 2 : 1)) {
    samples = wide ? new Uint16Array(count) : bytes.subarray(start, start + count);
    if (wide) for (let i = 0, at = start; i < count; i++, at += 2) samples[i] = (bytes[at] << 8) | bytes[at + 1];
  }
  if (!samples) throw new NarrowsError('');
  if (kind === 1) return Uint8Array.from({ length: count }, (_, i) => (samples[i] ? 0 : 255));
  for (let i = 0; i < count; i++)
    if (samples[i] > maximum) throw new NarrowsError(`a value of ${samples[i]} above its largest, ${maximum}`);
  if (wide) return samples;
  const table = Uint8Array.from({ length: 256 }, (_, v) => Math.min(255, roundHalfEven((v / maximum) * 255)));
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = table[samples[i]];
  return out;
}
