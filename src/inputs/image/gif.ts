/** @file What of a GIF's first frame libvips would paint otherwise than Pillow: transparent pixels and a frame smaller than the canvas. */
import type { Rectangle, RgbImage } from './rgb-image.ts';

/** A GIF's first frame: a copy of the file in which it is opaque, where it lies, and the colour around it. */
export interface GifFrame {
  readonly bytes: Uint8Array;
  readonly frame: Rectangle;
  readonly fill: readonly number[];
}

/** Position after a chain of sub-blocks, each a length byte and its bytes, that ends with a zero length. */
function skipBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at] + 1;
  return at + 1;
}

/**
 * Clears the transparency flag of the first frame, so that the colours stored under transparent pixels come out as they do in
 * Pillow; around a frame smaller than the canvas Pillow paints the transparent colour, or the first of the palette.
 * @returns undefined when the file is not a well-formed GIF up to its first frame (the decoder will say so).
 */
export function openFirstFrame(source: Uint8Array): GifFrame | undefined {
  const bytes = Uint8Array.from(source); // `slice` would not copy a Buffer
  const word = (at: number) => bytes[at] | (bytes[at + 1] << 8);
  const paletteSize = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let palette = 13;
  let at = 13 + paletteSize(bytes[10]);
  let transparent = 0;
  while (at + 10 < bytes.length) {
    if (bytes[at] === 0x2c) {
      if (bytes[at + 9] & 0x80) palette = at + 10;
      else if (!(bytes[10] & 0x80)) return undefined;
      const frame = { left: word(at + 1), top: word(at + 3), width: word(at + 5), height: word(at + 7) };
      const colour = palette + 3 * transparent;
      return { bytes, frame, fill: Array.from(bytes.subarray(colour, colour + 3)) };
    }
    if (bytes[at] !== 0x21) return undefined;
    if (bytes[at + 1] === 0xf9 && bytes[at + 3] & 1) {
      transparent = bytes[at + 6];
      bytes[at + 3] &= ~1;
    }
    at = skipBlocks(bytes, at + 2);
  }
  return undefined;
}

/** Paints `fill` on everything outside `frame`, in place. */
export function fillAround(image: RgbImage, { frame, fill }: GifFrame): void {
  for (let y = 0, at = 0; y < image.height; y++) {
    const inRows = y >= frame.top && y < frame.top + frame.height;
    for (let x = 0; x < image.width; x++, at += 3) {
      if (!inRows || x < frame.left || x >= frame.left + frame.width) image.data.set(fill, at);
    }
  }
}
