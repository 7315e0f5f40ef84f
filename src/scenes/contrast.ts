/** @file Which background colours a sprite can be seen on: a red heart on red would be a label without a picture. */
import type { RandomReader } from '../tensor/random.ts';
import { BACKGROUND_COLORS, type BackgroundColor, COLOR_NAMES } from './background.ts';
import { type SpriteSet, spriteOf } from './sprite-atlas.ts';

/** A pixel stands out when one of its channels differs by this much from the mean background colour (jitter and gradient together reach this far only in a corner). */
const STANDS_OUT = 48;
/** Share of its opaque pixels that must stand out. */
const SHARE = 0.15;

const cache = new WeakMap<SpriteSet, Uint8Array>();

/**
 * [concepts] bit masks over `COLOR_NAMES`: bit c is set when at least 15 % of the sprite's opaque pixels differ from colour c by 48 or
 * more in some channel. Judged on the smallest size, once per set (milliseconds).
 */
export function visibleColors(set: SpriteSet): Uint8Array {
  const known = cache.get(set);
  if (known) return known;
  const masks = new Uint8Array(set.concepts);
  for (let concept = 0; concept < set.concepts; concept++) {
    const { pixels } = spriteOf(set, concept, 0);
    COLOR_NAMES.forEach((name, bit) => {
      const [r, g, b] = BACKGROUND_COLORS[name];
      let opaque = 0;
      let out = 0;
      for (let i = 0; i < pixels.length; i += 4) {
        const alpha = pixels[i + 3];
        if (alpha < 128) continue;
        opaque++;
        // Premultiplied: what is seen is pixel + background × (1 - alpha), so the difference is pixel - background × alpha.
        const a = alpha / 255;
        const difference = Math.max(Math.abs(pixels[i] - r * a), Math.abs(pixels[i + 1] - g * a), Math.abs(pixels[i + 2] - b * a));
        if (difference >= STANDS_OUT) out++;
      }
      if (out >= SHARE * opaque) masks[concept] |= 1 << bit;
    });
  }
  cache.set(set, masks);
  return masks;
}

/**
 * A background colour on which every object can be seen, uniformly among those there are. When there is none, the first objects are
 * heard before the last.
 */
export function pickColor(masks: readonly number[], reader: RandomReader): BackgroundColor {
  let allowed = (1 << COLOR_NAMES.length) - 1;
  for (const mask of masks) if (allowed & mask) allowed &= mask;
  return reader.pick(COLOR_NAMES.filter((_, bit) => (allowed >> bit) & 1));
}
