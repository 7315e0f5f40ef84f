/** @file The size of an AVIF by its boxes (ISO/IEC 23008-12: `ispe`), before it is decoded. */
import { NarrowsError } from '../../system/errors.ts';

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** True for a file of one of AVIF's brands. */
export function isAvif(bytes: Uint8Array): boolean {
  if (text(bytes, 4) !== 'ftyp') return false;
  const end = Math.min(bytes.length, (bytes[2] << 8) | bytes[3]);
  for (let at = 8; at + 4 <= end; at += 4) if (at !== 12 && /^avi[fs]$/.test(text(bytes, at))) return true;
  return false;
}

/** Bytes of the file's head in which its boxes stand. */
const HEAD = 1 << 16;

/** The largest size that the file states. @throws NarrowsError where it states none; the message is a clause */
export function avifSize(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size = { width: 0, height: 0 };
  for (let at = 0; at + 16 <= Math.min(bytes.length, HEAD); at++) {
    if (bytes[at] !== 0x69 || text(bytes, at) !== 'ispe') continue;
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (width * height > size.width * size.height) size = { width, height };
  }
  if (size.width === 0) throw new NarrowsError('its size is missing');
  return size;
}
