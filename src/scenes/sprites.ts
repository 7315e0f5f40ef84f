/** @file Renders the art sets (`art.ts`) with sharp (librsvg) into sprites, and keeps them in a cache directory. Node only. */

import { open, readFile, requireEnding } from '../node/disk.ts';
import { writeFileAtomic } from '../node/files.ts';
import { createHash } from '../node/hash.ts';
import { homedir } from '../node/machine.ts';
import { fileURLToPath, join } from '../node/paths.ts';
import { sharp } from '../node/sharp.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { ART_VERSIONS, type ArtFile, type IconFile, iconSvg, parseArt } from './art.ts';
import { CONCEPTS } from './concepts.ts';
import {
  packSprites,
  type SceneWorld,
  SPRITE_SIZES,
  type Sprite,
  type SpriteSet,
  STYLES,
  type Style,
  shrinkSprite,
  TRAIN_STYLES,
} from './sprite-atlas.ts';

/** Raised whenever the way sprites are made changes, so that old caches are not read. */
const FORMAT = 1;

/** `art/` at the package's root, from the sources and from `dist` alike. */
const artPath = (style: Style): string => fileURLToPath(new URL(`../../art/${style}.json.gz`, import.meta.url));

/** Options of `loadSprites`. */
export interface SpriteOptions {
  /** Art sets to load; default `TRAIN_STYLES`. */
  styles?: readonly string[];
  /** Longer sides in pixels, ascending; default `SPRITE_SIZES`. */
  sizes?: readonly number[];
  /** Where rendered sets are kept; default `narrows` in the user's cache directory (`XDG_CACHE_HOME` or `~/.cache`). */
  cacheDirectory?: string;
  /** Called while a set is rendered (not when it comes from the cache). */
  onProgress?: (style: string, done: number, total: number) => void;
  /** Stops rendering between two icons. */
  signal?: AbortSignal;
}

/** The user's cache directory of Narrows. */
export const defaultCacheDirectory = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'narrows');

/**
 * Loads the sprites of some art sets, from the cache where they were rendered before (a few milliseconds a set), else by rendering them
 * (seconds a set). The result can be posted to worker threads: its arrays are shared memory. A cache that cannot be written is no error.
 * @throws NarrowsError for an unknown style, sizes that are not ascending, or an icon that cannot be rendered.
 */
export async function loadSprites(options: SpriteOptions = {}): Promise<SceneWorld> {
  const styles = options.styles ?? TRAIN_STYLES;
  const sizes = options.sizes ?? SPRITE_SIZES;
  for (const style of styles) {
    if ((STYLES as readonly string[]).includes(style)) continue;
    throw new NarrowsError(`There is no art set '${style}'; choose from ${STYLES.join(', ')}.`, { kind: 'usage' });
  }
  if (styles.length === 0) throw new NarrowsError('At least one art set is needed.', { kind: 'usage' });
  if (sizes.length === 0 || sizes.some((s, i) => !Number.isInteger(s) || s < 4 || s > 512 || (i > 0 && s <= sizes[i - 1]))) {
    throw new NarrowsError(`Sprite sizes must be ascending integers from 4 to 512, got ${sizes.join(', ')}.`, { kind: 'usage' });
  }
  const sets: SpriteSet[] = [];
  for (const style of styles) sets.push(await loadSet(style as Style, sizes, options));
  return { sets };
}

async function loadSet(style: Style, sizes: readonly number[], options: SpriteOptions): Promise<SpriteSet> {
  const key = cacheKey(style, sizes);
  const path = join(options.cacheDirectory ?? defaultCacheDirectory(), 'sprites', `${style}-${key.slice(0, 16)}.sprites`);
  const cached = await readSet(path, key, style, sizes);
  if (cached) return cached;
  const set = await renderSet(style, sizes, options);
  try {
    const header = Buffer.alloc(HEADER);
    header.write(key, 'latin1');
    header.writeUInt32LE(set.pixels.length, 64);
    header.writeUInt32LE(checksum(set.pixels), 68);
    await writeFileAtomic(path, [header, bytesOf(set.table), set.pixels]);
  } catch {
    // A read-only home must not stop the work: the set is rendered again next time.
  }
  return set;
}

/** File: 64 characters of key, pixel byte count, pixel checksum, padding; then the table, then the pixels. */
const HEADER = 80;

const bytesOf = (array: Uint32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Xor and rotate over 32-bit words: catches a truncated or flipped file in milliseconds. */
function checksum(pixels: Uint8Array): number {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.byteLength >>> 2);
  let sum = pixels.byteLength | 0;
  for (let i = 0; i < words.length; i++) sum = (Math.imul(sum, 31) + words[i]) | 0;
  return sum >>> 0;
}

async function readSet(path: string, key: string, style: string, sizes: readonly number[]): Promise<SpriteSet | null> {
  const file = await requireEnding(path)
    .then(() => open(path))
    .catch(() => null);
  if (!file) return null;
  try {
    const header = Buffer.alloc(HEADER);
    const tableBytes = CONCEPTS.length * sizes.length * 12;
    const { size } = await file.stat();
    await file.read(header, 0, HEADER, 0);
    const length = header.readUInt32LE(64);
    if (header.toString('latin1', 0, 64) !== key || size !== HEADER + tableBytes + length) return null;
    const table = new Uint32Array(new SharedArrayBuffer(tableBytes));
    const pixels = new Uint8Array(new SharedArrayBuffer(length));
    await file.read(bytesOf(table), 0, tableBytes, HEADER);
    await file.read(pixels, 0, length, HEADER + tableBytes);
    return checksum(pixels) === header.readUInt32LE(68) ? { style, sizes, concepts: CONCEPTS.length, table, pixels } : null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

function cacheKey(style: Style, sizes: readonly number[]): string {
  const parts = {
    FORMAT,
    style,
    art: ART_VERSIONS[style],
    sizes,
    icons: CONCEPTS.map(c => c.icon),
    sharp: sharp.versions.sharp,
    rsvg: sharp.versions.rsvg,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Reads the drawings of an art set, as they ship with the package.
 * @throws NarrowsError when the file is missing or damaged
 */
export async function readArt(style: Style): Promise<ArtFile> {
  const path = artPath(style);
  const bytes = await readFile(path).catch(error => {
    throw new NarrowsError(`Cannot read the art set '${style}': ${messageOf(error)}; install narrows again.`, { cause: error });
  });
  return parseArt(bytes, style, path);
}

/**
 * Renders one icon once and shrinks it to every size.
 * @param sizes longer sides in pixels, ascending
 * @throws NarrowsError when the set has no such icon, or it cannot be rendered
 */
export async function renderSprite(art: IconFile & { readonly style: string }, icon: string, sizes: readonly number[]): Promise<Sprite[]> {
  // librsvg smooths edges itself: two samples across each pixel of the largest sprite do, four at the usual sizes.
  const pixels = Math.max(192, 2 * sizes[sizes.length - 1]);
  const svg = iconSvg(art, icon, pixels);
  if (!svg) throw new NarrowsError(`The art set '${art.style}' has no icon '${icon}'; install narrows again.`);
  try {
    const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return shrinkSprite({ width: info.width, height: info.height, data }, sizes, `${art.style}/${icon}`);
  } catch (error) {
    if (error instanceof NarrowsError) throw error;
    throw new NarrowsError(`Cannot render ${art.style}/${icon}: ${messageOf(error)}.`, { cause: error });
  }
}

async function renderSet(style: Style, sizes: readonly number[], options: SpriteOptions): Promise<SpriteSet> {
  const art = await readArt(style);
  const sprites: Sprite[][] = new Array(CONCEPTS.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let i = next++; i < CONCEPTS.length; i = next++) {
      options.signal?.throwIfAborted();
      sprites[i] = await renderSprite(art, CONCEPTS[i].icon, sizes);
      options.onProgress?.(style, ++done, CONCEPTS.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return packSprites(style, sizes, sprites);
}
