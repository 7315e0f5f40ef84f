/** @file Sprites as a worker thread can share them: one flat array of premultiplied RGBA per art set, and how a big render is shrunk. */
import { NarrowsError } from '../system/errors.ts';

/** Art sets the built-in world trains on. */
export const TRAIN_STYLES = ['noto', 'twemoji', 'fluent-emoji-flat'] as const;
/** Art sets by other hands, kept for testing: never trained on. */
export const TEST_STYLES = ['openmoji', 'fluent-emoji', 'emojione'] as const;
/** All art sets: `art/<style>.json.gz`, made from the npm packages `@iconify-json/<style>`. */
export const STYLES = [...TRAIN_STYLES, ...TEST_STYLES] as const;
/** Name of an art set. */
export type Style = (typeof STYLES)[number];

/** Default sizes of sprites: the longer side in pixels. */
export const SPRITE_SIZES: readonly number[] = Array.from({ length: 15 }, (_, i) => 20 + 2 * i);

/** All sprites of one art set: `concepts` × `sizes`. */
export interface SpriteSet {
  readonly style: string;
  /** Longer sides in pixels, ascending. */
  readonly sizes: readonly number[];
  readonly concepts: number;
  /** [concepts × sizes × 3]: width, height and byte offset into `pixels` of each sprite, concept-major. */
  readonly table: Uint32Array;
  /** Premultiplied RGBA, row-major, cropped to what can be seen. Backed by a SharedArrayBuffer when loaded through `loadSprites`. */
  readonly pixels: Uint8Array;
}

/** What `drawScene` draws with. Plain data: can be posted to a worker thread without a copy. */
export interface SceneWorld {
  /** One set per style, all with equal `sizes` and `concepts`. */
  readonly sets: readonly SpriteSet[];
}

/** One decoded picture with straight (not premultiplied) alpha. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  /** [height × width × 4]. */
  readonly data: Uint8Array;
}

/** A sprite: premultiplied RGBA. */
export interface Sprite {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Looks up one sprite (a view, not a copy). `size` indexes `set.sizes`. */
export function spriteOf(set: SpriteSet, concept: number, size: number): Sprite {
  const at = (concept * set.sizes.length + size) * 3;
  const width = set.table[at];
  const height = set.table[at + 1];
  const offset = set.table[at + 2];
  return { width, height, pixels: set.pixels.subarray(offset, offset + width * height * 4) };
}

/** Alpha (of 255) below which the rim of a render counts as empty when it is cropped. */
const RIM = 64;

/**
 * Crops a render to its visible part and shrinks it by exact area averaging of premultiplied colour, once per size, so that the longer
 * side is `size` pixels. Edges carry the right mixture: no dark or white fringe.
 * @throws NarrowsError when the render is empty.
 */
export function shrinkSprite(image: RgbaImage, sizes: readonly number[], what = 'sprite'): Sprite[] {
  const { width, height, data } = image;
  let left = width;
  let right = -1;
  let top = height;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 4 + 3] < RIM) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) throw new NarrowsError(`The picture of ${what} is empty: nothing in it is opaque.`);
  const w = right - left + 1;
  const h = bottom - top + 1;
  const source = new Float32Array(w * h * 4);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = ((y + top) * width + x + left) * 4;
      const to = (y * w + x) * 4;
      const alpha = data[from + 3];
      source[to] = (data[from] * alpha) / 255;
      source[to + 1] = (data[from + 1] * alpha) / 255;
      source[to + 2] = (data[from + 2] * alpha) / 255;
      source[to + 3] = alpha;
    }
  }
  return sizes.map(size => {
    const scale = size / Math.max(w, h);
    const outWidth = Math.max(1, Math.round(w * scale));
    const outHeight = Math.max(1, Math.round(h * scale));
    const rows = areaAverage(source, h, w * 4, outHeight, 1);
    const both = areaAverage(rows, w, 4, outWidth, outHeight);
    const pixels = new Uint8Array(outWidth * outHeight * 4);
    for (let i = 0; i < pixels.length; i += 4) {
      const alpha = Math.round(both[i + 3]);
      pixels[i + 3] = alpha;
      // Premultiplied colour never exceeds alpha: rounding must not break that.
      for (let c = 0; c < 3; c++) pixels[i + c] = Math.min(alpha, Math.round(both[i + c]));
    }
    return { width: outWidth, height: outHeight, pixels };
  });
}

/** Averages the axis of length `from` of [outer, from, inner] down (or up) to `to` cells by covered area. */
function areaAverage(source: Float32Array, from: number, inner: number, to: number, outer: number): Float32Array {
  const out = new Float32Array(outer * to * inner);
  const step = from / to;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < to; j++) {
      const begin = j * step;
      const end = Math.min(from, begin + step);
      const target = (o * to + j) * inner;
      for (let i = Math.floor(begin); i < end; i++) {
        const weight = (Math.min(end, i + 1) - Math.max(begin, i)) / step;
        if (weight <= 0) continue;
        const at = (o * from + i) * inner;
        for (let c = 0; c < inner; c++) out[target + c] += weight * source[at + c];
      }
    }
  }
  return out;
}

/** Packs sprites ([concepts][sizes]) into one set. `shared` puts the pixels into a SharedArrayBuffer. */
export function packSprites(style: string, sizes: readonly number[], sprites: readonly (readonly Sprite[])[], shared = true): SpriteSet {
  const total = sprites.flat().reduce((sum, sprite) => sum + sprite.pixels.length, 0);
  const memory = (bytes: number) => (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  const table = new Uint32Array(memory(sprites.length * sizes.length * 12));
  const pixels = new Uint8Array(memory(total));
  let offset = 0;
  let row = 0;
  for (const sprite of sprites.flat()) {
    table.set([sprite.width, sprite.height, offset], row);
    pixels.set(sprite.pixels, offset);
    offset += sprite.pixels.length;
    row += 3;
  }
  return { style, sizes, concepts: sprites.length, table, pixels };
}
