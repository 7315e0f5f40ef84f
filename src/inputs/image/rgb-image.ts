/** @file The picture every part of Narrows works on, and the ways raw bands become one, as Pillow's `convert('RGB')` does. No Node imports. */
import type { ImageReading } from './image-reading.ts';

/** A decoded picture: `data` holds `height` x `width` x 3 bytes (R, G, B), row by row. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** How its file was read, for a picture that comes from one; it goes into the result. */
  readonly reading?: ImageReading;
}

/** A rectangle in pixels of a picture. Where it is a view of an original, its numbers may be fractions and it may reach outside. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A part of a picture, inside of it. */
export function cropImage({ width: wide, data }: RgbImage, { left, top, width, height }: Rectangle): RgbImage {
  const out = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * wide + left);
    out.set(data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data: out };
}

/**
 * RGB from interleaved 8-bit bands: 1 (grey), 2 (grey, alpha), 3 (RGB, wrapped without a copy) or 4 (RGBA, as a canvas gives it).
 * Alpha is dropped, not blended, as in Pillow: a transparent pixel shows the colour that is stored under it.
 */
export function rgbFromBands(width: number, height: number, bands: number, data: ArrayLike<number>): RgbImage {
  if (bands === 3 && data instanceof Uint8Array) return { width, height, data };
  const grey = bands < 3;
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += bands, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[grey ? from : from + 1];
    rgb[to + 2] = data[grey ? from : from + 2];
  }
  return { width, height, data: rgb };
}

/**
 * RGB from interleaved 8-bit C, M, Y, K (0 = no ink), without a colour profile: `(255 - K) - C * (255 - K) / 255`, where the
 * division is Pillow's rounded one in whole numbers.
 */
export function rgbFromCmyk(width: number, height: number, data: ArrayLike<number>): RgbImage {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const light = 255 - data[from + 3];
    for (let c = 0; c < 3; c++) {
      const product = data[from + c] * light + 128;
      rgb[to + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return { width, height, data: rgb };
}
