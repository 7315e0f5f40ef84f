/**
 * @file Windows and OS/2 bitmaps: 1 to 32 bits, bit fields, run lengths, either way up. The npm libraries that are kept (bmp-ts 1.0.9, fast-bmp 4.0.1)
 * read palettes, 16 bits and OS/2 headers wrongly or not at all. Pixels are Pillow's. No Node imports.
 */
import { NarrowsError } from '../../system/errors.ts';

/** A header, checked. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  /** 0 plain, 1 and 2 run lengths of bytes and half bytes, 3 bit fields. */
  readonly compression: number;
  /** Bit fields of red, green, blue. */
  readonly masks: readonly number[];
  /** B, G, R, … per colour, `entry` bytes each. */
  readonly palette: Uint8Array;
  readonly entry: 3 | 4;
  readonly start: number;
}

const HEADERS = new Set([12, 40, 52, 56, 64, 108, 124]);

/** True for a file with a bitmap's magic and one of its headers. */
export const isBmp = (bytes: Uint8Array): boolean =>
  bytes.length >= 26 && bytes[0] === 0x42 && bytes[1] === 0x4d && bytes[15] === 0 && HEADERS.has(bytes[14]);

/** @throws NarrowsError for a kind of bitmap that is not read, or a header that makes no sense; the message is a clause */
export function bmpHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes[14];
  const old = size === 12;
  if (bytes.length < 14 + size) throw new NarrowsError('its header is cut short');
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const rows = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? 0 : view.getUint32(30, true);
  if (!(width > 0) || rows === 0) throw new NarrowsError(`it is ${width} x ${Math.abs(rows)} pixels`);
  const plain = compression === 0 && [1, 4, 8, 16, 24, 32].includes(bits);
  const runs = (compression === 1 && bits === 8) || (compression === 2 && bits === 4);
  const fields = compression === 3 && (bits === 16 || bits === 32);
  if (!plain && !runs && !fields) throw new NarrowsError(`${bits} bits with compression ${compression} are not read`);
  let masks = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  let after = 14 + size;
  if (fields) {
    if (bytes.length < 66) throw new NarrowsError('its header is cut short');
    masks = [54, 58, 62].map(at => view.getUint32(at, true));
    if (size === 40) after += 12;
  }
  const entry = old ? 3 : 4;
  const stated = old ? 0 : view.getUint32(46, true);
  const colours = bits <= 8 ? Math.min(stated || 1 << bits, 256) : 0;
  const palette = new Uint8Array(256 * entry);
  palette.set(bytes.subarray(after, after + colours * entry));
  return { width, height: Math.abs(rows), topDown: rows < 0, bits, compression, masks, palette, entry, start: view.getUint32(10, true) };
}

/** Indices of a picture in run lengths, [rows, columns] from the bottom; what a file leaves out has index 0. */
function runLengths(bytes: Uint8Array, { width, height, start, bits }: BmpHeader): Uint8Array {
  const out = new Uint8Array(width * height);
  let [x, y, at] = [0, 0, start];
  const put = (index: number): void => {
    if (x < width && y < height) out[y * width + x] = index;
    x++;
  };
  while (at + 1 < bytes.length) {
    const [count, value] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) for (let i = 0; i < count; i++) put(bits === 8 ? value : (value >> (i % 2 ? 0 : 4)) & 15);
    else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) return out;
    else if (value === 2) {
      x += bytes[at];
      y += bytes[at + 1];
      at += 2;
    } else {
      const length = Math.ceil((value * bits) / 8);
      if (at + length > bytes.length) break;
      for (let i = 0; i < value; i++) put(bits === 8 ? bytes[at + i] : (bytes[at + (i >> 1)] >> (i % 2 ? 0 : 4)) & 15);
      at += length + (length % 2);
    }
    if (y >= height) return out;
  }
  // Some writers leave the end mark out; a picture with all its rows is whole.
  if (y < height - 1 || x < width) throw new NarrowsError('');
  return out;
}

/**
 * RGB bytes, row by row from the top.
 * @throws NarrowsError for pixels that are not there; the message is what follows "is damaged"
 */
export function bmpPixels(bytes: Uint8Array, header: BmpHeader): Uint8Array {
  const { width, height, bits, compression, masks, palette, entry, start } = header;
  const out = new Uint8Array(width * height * 3);
  const packed = compression === 1 || compression === 2;
  const stride = packed ? width : Math.ceil((width * bits) / 32) * 4;
  // The last row's padding may be missing.
  if (!packed && bytes.length < start + stride * (height - 1) + Math.ceil((width * bits) / 8)) throw new NarrowsError('');
  const source = packed ? runLengths(bytes, header) : bytes;
  const origin = packed ? 0 : start;
  const shifts = masks.map(mask => (mask ? 31 - Math.clz32(mask & -mask) : 0));
  const tops = masks.map((mask, c) => mask >>> shifts[c]);
  const wholeBytes = bits === 24 || (bits === 32 && compression === 0);
  for (let row = 0; row < height; row++) {
    const from = origin + row * stride;
    let to = (header.topDown ? row : height - 1 - row) * width * 3;
    for (let x = 0; x < width; x++, to += 3) {
      if (wholeBytes) {
        const at = from + x * (bits >> 3);
        out[to] = source[at + 2];
        out[to + 1] = source[at + 1];
        out[to + 2] = source[at];
      } else if (bits >= 16) {
        const at = from + x * (bits >> 3);
        const value = (source[at] | (source[at + 1] << 8) | (bits === 32 ? (source[at + 2] << 16) | (source[at + 3] << 24) : 0)) >>> 0;
        for (let c = 0; c < 3; c++) out[to + c] = tops[c] ? Math.floor((((value & masks[c]) >>> shifts[c]) * 255) / tops[c]) : 0;
      } else {
        const bit = x * bits;
        const index = packed || bits === 8 ? source[from + x] : (source[from + (bit >> 3)] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
        out[to] = palette[index * entry + 2];
        out[to + 1] = palette[index * entry + 1];
        out[to + 2] = palette[index * entry];
      }
    }
  }
  return out;
}
