/** @file The orientation tag of EXIF data, and pictures turned by it. No Node imports. */
import type { RgbImage } from './rgb-image.ts';

/** The orientation (tag 274) of a block of EXIF data, which is a TIFF's directory; undefined where there is none or the block is broken. */
export function exifOrientation(block: Uint8Array): number | undefined {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const little = block[0] === 0x49;
  try {
    if (view.getUint16(2, little) !== 42) return undefined;
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let i = 0; i < count; i++) {
      const at = directory + 2 + 12 * i;
      if (view.getUint16(at, little) === 274) return view.getUint16(at + 8, little);
    }
  } catch {
    // Cut short: nothing is said.
  }
  return undefined;
}

/** Whether a tag stands for a turn or a mirror image. */
export const turns = (tag: number | undefined): tag is number => tag !== undefined && tag > 1 && tag <= 8;

/** The picture as its tag wants it shown: 2 mirrored, 3 upside down, 4 flipped, 5 to 8 with rows and columns exchanged (6: a quarter turn clockwise). */
export function turned(image: RgbImage, tag: number): RgbImage {
  if (!turns(tag)) return image;
  const { width, height, data } = image;
  const across = tag > 4;
  const [columns, rows] = across ? [height, width] : [width, height];
  const out = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, to += 3) {
      // Where in the stored picture this pixel comes from.
      const [u, v] = across ? [y, x] : [x, y];
      const left = tag === 2 || tag === 3 || tag === 7 || tag === 8 ? width - 1 - u : u;
      const top = tag === 3 || tag === 4 || tag === 6 || tag === 7 ? height - 1 - v : v;
      const from = 3 * (top * width + left);
      out[to] = data[from];
      out[to + 1] = data[from + 1];
      out[to + 2] = data[from + 2];
    }
  return { width: columns, height: rows, data: out };
}
