/** @file The few tags of a TIFF's first picture that libvips keeps to itself, and whether those that pixels need are whole. No Node imports. */

/** Tags as numbers; absent ones are undefined. */
export interface TiffTags {
  readonly photometric?: number;
  readonly compression?: number;
  readonly sampleFormat?: number;
  readonly bitsPerSample?: number;
  /** A tag that the pixels need lies outside of the file: libtiff would leave it out, and show a palette's numbers as greys. */
  readonly cut?: boolean;
}

const WANTED: Record<number, 'bitsPerSample' | 'compression' | 'photometric' | 'sampleFormat'> = {
  258: 'bitsPerSample',
  259: 'compression',
  262: 'photometric',
  339: 'sampleFormat',
};
/** Sizes, strips, tiles, predictor, colour map, extra samples. */
const NEEDED = new Set([256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339]);
/** Bytes of a value by its type. */
const BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** True for a TIFF or a BigTIFF of either byte order. */
export function isTiff(bytes: Uint8Array): boolean {
  const order = String.fromCharCode(bytes[0], bytes[1]);
  const magic = order === 'II' ? bytes[2] | (bytes[3] << 8) : order === 'MM' ? (bytes[2] << 8) | bytes[3] : 0;
  return magic === 42 || magic === 43;
}

/** First value of each wanted tag of the first directory. */
export function tiffTags(bytes: Uint8Array): TiffTags {
  const little = bytes[0] === 0x49;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: { -readonly [K in keyof TiffTags]: TiffTags[K] } = {};
  try {
    const big = view.getUint16(2, little) === 43;
    const offset = (at: number): number => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
    const directory = offset(big ? 8 : 4);
    const count = big ? Number(view.getBigUint64(directory, little)) : view.getUint16(directory, little);
    for (let i = 0; i < count; i++) {
      const at = directory + (big ? 8 + 20 * i : 2 + 12 * i);
      const tag = view.getUint16(at, little);
      if (!NEEDED.has(tag)) continue;
      const [type, values] = [view.getUint16(at + 2, little), offset(at + 4)];
      const inline = at + (big ? 12 : 8);
      const length = values * (BYTES[type] ?? 0);
      const place = length > (big ? 8 : 4) ? offset(inline) : inline;
      if (place + length > bytes.length) return { ...found, cut: true };
      const name = WANTED[tag];
      if (name) found[name] = type === 3 ? view.getUint16(place, little) : view.getUint32(place, little);
    }
  } catch {
    // The directory itself is outside of the file.
    return { ...found, cut: true };
  }
  return found;
}
