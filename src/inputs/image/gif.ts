/** @file A GIF's first frame by itself: libvips paints transparency, frames smaller than the canvas and some canvas sizes otherwise than Pillow. */
import type { Rectangle, RgbImage } from './rgb-image.ts';

/** A GIF's first frame: a file with nothing but that frame, opaque and as its own canvas; where it lies, and the colour around it. */
export interface GifFrame {
  readonly bytes: Uint8Array;
  readonly canvas: { readonly width: number; readonly height: number };
  readonly frame: Rectangle;
  readonly fill: readonly number[];
  /** Frames in the file. */
  readonly frames: number;
}

/** Position after a chain of sub-blocks, each a length byte and its bytes, that ends with a zero length; undefined where it does not end. */
function skipBlocks(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at] + 1;
  return at < bytes.length ? at + 1 : undefined;
}

/** True for a file that begins as a GIF. */
export const isGif = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(0, 4)) === 'GIF8';

/**
 * Takes the first frame out. Its transparency flag is cleared, so that the colours stored under transparent pixels come out as they do in
 * Pillow; around a frame smaller than the canvas Pillow paints the transparent colour, or the first of the palette. A frame that reaches out of
 * the canvas enlarges it, as in Pillow.
 * @returns undefined when the file is not a well-formed GIF up to the end of its first frame (the decoder will say so).
 */
export function openFirstFrame(source: Uint8Array): GifFrame | undefined {
  const word = (at: number) => source[at] | (source[at + 1] << 8);
  const paletteSize = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = 13 + paletteSize(source[10]);
  let transparent: number | undefined;
  let first: Omit<GifFrame, 'frames'> | undefined;
  let frames = 0;
  while (at + 1 < source.length && source[at] !== 0x3b) {
    if (source[at] === 0x2c && at + 10 < source.length) {
      const data = at + 10 + paletteSize(source[at + 9]);
      const end = skipBlocks(source, data + 1);
      if (!first) {
        if (end === undefined) return undefined;
        if (!(source[at + 9] & 0x80) && !(source[10] & 0x80)) return undefined;
        const frame = { left: word(at + 1), top: word(at + 3), width: word(at + 5), height: word(at + 7) };
        if (frame.width === 0 || frame.height === 0) return undefined;
        const colour = (source[at + 9] & 0x80 ? at + 10 : 13) + 3 * (transparent ?? 0);
        const head = 13 + paletteSize(source[10]);
        const bytes = new Uint8Array(head + (end - at) + 1);
        bytes.set(source.subarray(0, head));
        bytes.set(source.subarray(at, end), head);
        bytes[bytes.length - 1] = 0x3b;
        bytes.set(source.subarray(at + 5, at + 9), 6); // the canvas is the frame
        bytes.fill(0, head + 1, head + 5); // which begins at its corner
        const canvas = {
          width: Math.max(word(6), frame.left + frame.width),
          height: Math.max(word(8), frame.top + frame.height),
        };
        first = { bytes, canvas, frame, fill: Array.from(source.subarray(colour, colour + 3)) };
      }
      frames++;
      if (end === undefined) break;
      at = end;
    } else if (source[at] === 0x21) {
      if (source[at + 1] === 0xf9 && source[at + 3] & 1) transparent = source[at + 6];
      const end = skipBlocks(source, at + 2);
      if (end === undefined) break;
      at = end;
    } else break;
  }
  return first && { ...first, frames };
}

/** The frame on its canvas. */
export function onCanvas(image: RgbImage, { canvas, frame, fill }: Pick<GifFrame, 'canvas' | 'frame' | 'fill'>): RgbImage {
  const { width, height } = canvas;
  if (image.width === width && image.height === height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set(fill, i);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((frame.top + y) * width + frame.left) * 3);
  }
  return { width, height, data };
}
