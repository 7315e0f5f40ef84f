/** @file Draws scenes: a background and a few sprites, with every label known. A scene is a function of (world, options, random cell). */
import { NarrowsError } from '../system/errors.ts';
import type { RandomReader } from '../tensor/random.ts';
import { type Background, type BackgroundColor, drawBackground, type Texture } from './background.ts';
import { CONCEPTS } from './concepts.ts';
import { pickColor, visibleColors } from './contrast.ts';
import { placeObjects } from './placement.ts';
import { type SceneWorld, type Sprite, spriteOf } from './sprite-atlas.ts';

/** What kind of scene to draw. Defaults in `SCENE_DEFAULTS`. */
export interface SceneOptions {
  /** Canvas in pixels; default 96 × 96. */
  width?: number;
  height?: number;
  /** Number of objects, uniform from `minObjects` to `maxObjects` (at most 16); default 1 to 4. */
  minObjects?: number;
  maxObjects?: number;
  /** Longer side of an object in pixels, among the world's sizes; default 22 to 46. Crowded scenes use the lower part of the range. */
  minSize?: number;
  maxSize?: number;
  /** Art sets to draw from; default all sets of the world. */
  styles?: readonly string[];
  /** Concept indices to draw from; default all. */
  concepts?: readonly number[];
  /** Exactly these concept indices, whatever `minObjects`, `maxObjects` and `concepts` say. */
  place?: readonly number[];
  /** Largest share of an object's sprite that another may cover; default 0.1. */
  maxOverlap?: number;
  /** Probability that a sprite is mirrored; default 0.3. */
  flip?: number;
  /** Strength of the sprites' colour jitter (1: brightness ± 15 %, each channel ± 6 %); default 1, 0 turns it off. */
  colorJitter?: number;
  /** Background colour; default any on which the objects can be seen (`contrast.ts`). */
  color?: BackgroundColor;
  /** Background textures to choose from; default all. */
  textures?: readonly Texture[];
}

/** Defaults of `SceneOptions`. */
export const SCENE_DEFAULTS = {
  width: 96,
  height: 96,
  minObjects: 1,
  maxObjects: 4,
  minSize: 22,
  maxSize: 46,
  maxOverlap: 0.1,
  flip: 0.3,
  colorJitter: 1,
} as const;

type CompleteOptions = SceneOptions & Required<Pick<SceneOptions, keyof typeof SCENE_DEFAULTS>>;

/** Fills in the defaults; a value of `undefined` counts as not given. */
function withDefaults(options: SceneOptions): CompleteOptions {
  const out: Record<string, unknown> = { ...SCENE_DEFAULTS };
  for (const [key, value] of Object.entries(options)) if (value !== undefined) out[key] = value;
  return out as unknown as CompleteOptions;
}

/** Pixel coordinates: `left` and `top` are inside, `left + width` and `top + height` are outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One thing in a scene. */
export interface SceneObject {
  /** Index in `CONCEPTS`. */
  readonly concept: number;
  /** Spoken name, for example `hot dog`. */
  readonly name: string;
  /** Art set. */
  readonly style: string;
  /** Longer side of its sprite in pixels. */
  readonly size: number;
  readonly flipped: boolean;
  /** Tight box around its visible pixels (those it owns in `Scene.owners`). */
  readonly box: Box;
  /** Number of pixels it owns. */
  readonly area: number;
  /** Share of its own pixels (alpha above one half) that no later object covers, 0–1. */
  readonly visible: number;
}

/** A drawn scene. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  /** RGB bytes [height × width × 3]. */
  readonly image: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  readonly background: Background;
  /** In drawing order: a later one lies in front. */
  readonly objects: readonly SceneObject[];
  /** [height × width]: index into `objects` of the frontmost object whose alpha there exceeds one half, or -1. */
  readonly owners: Int8Array;
}

/** Memory that `drawScene` may reuse. A scene drawn into buffers is valid until the next one is drawn into them. */
export interface SceneBuffers {
  /** [height × width × 3]; may be a view into a batch. */
  readonly image: Uint8Array;
  /** [height × width]. */
  readonly owners: Int8Array;
  /** Scratch [height × width]. */
  readonly shade: Float32Array;
}

/** Allocates buffers for one canvas size. `image` may be given, for example a slice of a batch. */
export function sceneBuffers(width: number, height: number, image?: Uint8Array): SceneBuffers {
  const n = width * height;
  return { image: image ?? new Uint8Array(n * 3), owners: new Int8Array(n), shade: new Float32Array(n) };
}

/**
 * Draws one scene. The same world, options and random cell give the same bytes on every machine: no transcendental function is used.
 * (Art sets count in the order of `options.styles`, else of `world.sets`.)
 * @param reader the scene's own random cell, for example `new RandomStream(seed, 'scenes').reader(step, sample)`.
 * @throws NarrowsError when the options cannot be met (unknown style or concept, objects that cannot fit).
 * @example
 * const world = await loadSprites({ styles: ['twemoji'] });
 * const reader = new RandomStream(0, 'my scenes').reader(0, 7);
 * const scene = drawScene(world, { minObjects: 2, maxObjects: 4 }, reader);
 * console.log(caption(scene, reader), scene.objects.map(o => o.box));
 */
export function drawScene(world: SceneWorld, options: SceneOptions, reader: RandomReader, buffers?: SceneBuffers): Scene {
  const o = withDefaults(options);
  const { width, height } = o;
  const sets = options.styles ? options.styles.map(style => setOf(world, style)) : world.sets;
  checkOptions(o, sets[0].concepts);
  const count = o.place ? o.place.length : o.minObjects + reader.integer(o.maxObjects - o.minObjects + 1);
  const concepts = o.place ?? pickConcepts(o.concepts, sets[0].concepts, count, reader);
  const styles = concepts.map(() => reader.integer(sets.length));
  const sprites = (k: number, size: number): Sprite => spriteOf(sets[styles[k]], concepts[k], size);
  const places = placeObjects(sprites, count, sets[0].sizes, o, reader);

  const { image, owners, shade } = buffers ?? sceneBuffers(width, height);
  const color =
    o.color ??
    pickColor(
      concepts.map((concept, k) => visibleColors(sets[styles[k]])[concept]),
      reader,
    );
  const background = drawBackground({ data: image, shade, width, height }, reader, color, o.textures);
  owners.fill(-1);
  const drawn = concepts.map((concept, k) => {
    const place = places[k];
    const flipped = reader.uniform() < o.flip;
    const light = 1 + reader.uniform(-0.15, 0.15) * o.colorJitter;
    const gains = [0, 1, 2].map(() => light * (1 + reader.uniform(-0.06, 0.06) * o.colorJitter));
    const opaque = blend({ image, owners, width }, sprites(k, place.size), { left: place.left, top: place.top, flipped, gains }, k);
    return {
      concept,
      name: CONCEPTS[concept]?.name ?? `thing ${concept}`,
      style: sets[styles[k]].style,
      size: sets[0].sizes[place.size],
      flipped,
      opaque,
    };
  });
  const objects = drawn.map(({ opaque, ...rest }, k) => {
    const place = places[k];
    const { box, area } = ownedBox(owners, width, sprites(k, place.size), place.left, place.top, k);
    return { ...rest, box, area, visible: opaque === 0 ? 0 : area / opaque };
  });
  return { width, height, image: { width, height, data: image }, background, objects, owners };
}

function setOf(world: SceneWorld, style: string) {
  const set = world.sets.find(s => s.style === style);
  if (set) return set;
  throw new NarrowsError(`The art set '${style}' is not loaded; loaded are ${world.sets.map(s => s.style).join(', ')}.`);
}

function checkOptions(o: CompleteOptions, concepts: number): void {
  const { width, height, minObjects, maxObjects, place } = o;
  const usage = (message: string) => new NarrowsError(message, { kind: 'usage' });
  if (![width, height].every(side => Number.isInteger(side) && side >= 4 && side <= 4096)) {
    throw usage(`The canvas must be 4 to 4096 pixels wide and high, got ${width}×${height}.`);
  }
  if (![minObjects, maxObjects].every(Number.isInteger)) {
    throw usage(`The number of objects must be a whole number, got ${minObjects} to ${maxObjects}.`);
  }
  if ((place?.length ?? maxObjects) > 16 || (!place && (minObjects < 0 || maxObjects < minObjects))) {
    throw usage(`A scene holds 0 to 16 objects, got ${place ? place.length : `${minObjects} to ${maxObjects}`}.`);
  }
  const wrong = (o.place ?? o.concepts)?.find(c => !(Number.isInteger(c) && c >= 0 && c < concepts));
  if (wrong !== undefined) throw new NarrowsError(`There is no concept ${wrong}; concepts are numbered 0 to ${concepts - 1}.`);
}

/** Distinct concepts, uniformly. */
function pickConcepts(pool: readonly number[] | undefined, all: number, count: number, reader: RandomReader): number[] {
  const n = pool?.length ?? all;
  if (n < count)
    throw new NarrowsError(`A scene of ${count} objects needs as many concepts, but only ${n} are allowed.`, { kind: 'usage' });
  const out: number[] = [];
  while (out.length < count) {
    const i = reader.integer(n);
    const concept = pool ? pool[i] : i;
    if (!out.includes(concept)) out.push(concept);
  }
  return out;
}

/** Composites a sprite and claims its opaque pixels; returns how many it has. */
function blend(
  { image, owners, width: stride }: { readonly image: Uint8Array; readonly owners: Int8Array; readonly width: number },
  sprite: Sprite,
  { left, top, flipped, gains }: { left: number; top: number; flipped: boolean; gains: readonly number[] },
  owner: number,
): number {
  const { width, height, pixels } = sprite;
  const [gr, gg, gb] = gains;
  const step = flipped ? -4 : 4;
  let opaque = 0;
  for (let y = 0; y < height; y++) {
    let from = (y * width + (flipped ? width - 1 : 0)) * 4;
    let pixel = (top + y) * stride + left;
    for (let x = 0; x < width; x++, from += step, pixel++) {
      const alpha = pixels[from + 3];
      if (alpha === 0) continue;
      const to = pixel * 3;
      const keep = (255 - alpha) / 255;
      // A brightened sprite may not exceed white at its own coverage.
      image[to] = Math.min(pixels[from] * gr, alpha) + image[to] * keep + 0.5;
      image[to + 1] = Math.min(pixels[from + 1] * gg, alpha) + image[to + 1] * keep + 0.5;
      image[to + 2] = Math.min(pixels[from + 2] * gb, alpha) + image[to + 2] * keep + 0.5;
      if (alpha > 127) {
        owners[pixel] = owner;
        opaque++;
      }
    }
  }
  return opaque;
}

/** Tight box and number of the pixels an object owns at the end. */
function ownedBox(owners: Int8Array, stride: number, sprite: Sprite, left: number, top: number, owner: number): { box: Box; area: number } {
  let [x0, y0, x1, y1, area] = [left + sprite.width, top + sprite.height, left - 1, top - 1, 0];
  for (let y = top; y < top + sprite.height; y++) {
    for (let x = left; x < left + sprite.width; x++) {
      if (owners[y * stride + x] !== owner) continue;
      area++;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      y1 = y;
    }
  }
  return { box: area === 0 ? { left, top, width: 0, height: 0 } : { left: x0, top: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 }, area };
}
