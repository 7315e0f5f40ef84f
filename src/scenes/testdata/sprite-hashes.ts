/**
 * @file Hashes of sprites, and the script that writes sprite-hashes.json straight from the npm packages @iconify-json/* (never from `art/`):
 * every 25th concept of every art set at five sizes. usage: node --import tsx src/scenes/testdata/sprite-hashes.ts
 * Run it anew only when the art's or sharp's version is changed on purpose.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { installedIcons } from '../../../scripts/art.ts';
import { writeFileAtomic } from '../../node/files.ts';
import type { IconFile } from '../art.ts';
import { CONCEPTS } from '../concepts.ts';
import { type Sprite, STYLES } from '../sprite-atlas.ts';
import { renderSprite } from '../sprites.ts';

/** The first three are rendered at 192 pixels, the last two at their double. */
export const SIZE_LISTS = [
  [20, 33, 48],
  [97, 160],
];
/** Which concepts are hashed. */
export const HASHED = CONCEPTS.filter(c => c.index % 25 === 0);
/** What the bytes depend on besides the drawings. */
export const renderer = (): { sharp: string; rsvg: string; arch: string } => {
  const { sharp: version, rsvg } = sharp.versions as Record<string, string>;
  return { sharp: version, rsvg, arch: process.arch };
};

/** SHA-256 over width, height and pixels of sprites in their order. */
export function hashSprites(sprites: readonly Sprite[]): string {
  const hash = createHash('sha256');
  for (const { width, height, pixels } of sprites) hash.update(`${width}×${height}:`).update(pixels);
  return hash.digest('hex');
}

/** Hashes of a set at all sizes, by icon. */
export async function hashesOf(art: IconFile, style: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const { icon } of HASHED) {
    const lists = [];
    for (const sizes of SIZE_LISTS) lists.push(...(await renderSprite({ ...art, style }, icon, sizes)));
    out[icon] = hashSprites(lists);
  }
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sprites: Record<string, Record<string, string>> = {};
  for (const style of STYLES) sprites[style] = await hashesOf(JSON.parse(await readFile(installedIcons(style)!, 'utf8')) as IconFile, style);
  const text = `${JSON.stringify({ ...renderer(), sprites }, null, 2)}\n`;
  await writeFileAtomic(fileURLToPath(new URL('sprite-hashes.json', import.meta.url)), text);
}
