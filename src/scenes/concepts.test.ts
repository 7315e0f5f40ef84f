/** @file The concept list against the six art sets, and the sprites made of them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iconSvg } from './art.ts';
import { CONCEPTS, withArticle } from './concepts.ts';
import { type SceneWorld, SPRITE_SIZES, STYLES, shrinkSprite, spriteOf, TEST_STYLES, TRAIN_STYLES } from './sprite-atlas.ts';
import { defaultCacheDirectory, loadSprites, readArt } from './sprites.ts';

describe('CONCEPTS', () => {
  it('are 400, distinct, in plain words', () => {
    expect(CONCEPTS).toHaveLength(400);
    expect(new Set(CONCEPTS.map(c => c.name)).size).toBe(400);
    expect(new Set(CONCEPTS.map(c => c.icon)).size).toBe(400);
    CONCEPTS.forEach((c, i) => {
      expect(c.index).toBe(i);
      expect(c.name).toMatch(/^[a-z]+( [a-z]+){0,2}$/);
    });
  });

  it('take the right article', () => {
    const say = (name: string) => withArticle(CONCEPTS.find(c => c.name === name) as (typeof CONCEPTS)[0]);
    expect(['dog', 'owl', 'hourglass', 'unicorn', 'umbrella', 'grapes', 'wine glass', 'glasses', 'hot dog'].map(say)).toEqual([
      'a dog',
      'an owl',
      'an hourglass',
      'a unicorn',
      'an umbrella',
      'some grapes',
      'a wine glass',
      'some glasses',
      'a hot dog',
    ]);
  });

  it('exist in all six art sets', async () => {
    expect(STYLES).toHaveLength(6);
    for (const style of STYLES) {
      const art = await readArt(style);
      expect(CONCEPTS.filter(c => !iconSvg(art, c.icon, 64)).map(c => `${style}/${c.icon}`)).toEqual([]);
      expect(iconSvg(art, 'no-such-icon', 64)).toBeNull();
    }
  });
});

describe('shrinkSprite', () => {
  it('crops to what can be seen and averages premultiplied colour', () => {
    // A red square of 8 beside transparent green: green must not leak in, and half-covered pixels become half transparent.
    const data = new Uint8Array(16 * 16 * 4);
    for (let i = 0; i < 256; i++) {
      const [x, y] = [i % 16, Math.floor(i / 16)];
      const inside = x >= 3 && x < 11 && y >= 2 && y < 8;
      data.set(inside ? [200, 0, 0, 255] : [0, 255, 0, 0], i * 4);
    }
    const [half, odd] = shrinkSprite({ width: 16, height: 16, data }, [4, 5]);
    expect([half.width, half.height]).toEqual([4, 3]);
    expect([...half.pixels]).toEqual(Array.from({ length: 12 }, () => [200, 0, 0, 255]).flat());
    expect([odd.width, odd.height]).toEqual([5, 4]);
    expect(odd.pixels.filter((_, i) => i % 4 === 1).every(v => v === 0)).toBe(true);
    // A checkerboard of single pixels averages to half coverage.
    const checker = new Uint8Array(64).map((_, i) => (((i >> 2) + (i >> 4)) % 2 === 0 ? 255 : 0));
    const [small] = shrinkSprite({ width: 4, height: 4, data: checker }, [2]);
    expect([...small.pixels]).toEqual(new Array(16).fill(128));
    expect(() => shrinkSprite({ width: 2, height: 2, data: new Uint8Array(16) }, [2], 'noto/x')).toThrow(/noto\/x is empty/);
  });
});

describe('loadSprites', () => {
  let directory: string;
  let world: SceneWorld;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'narrows-sprites-'));
    world = await loadSprites({ styles: ['twemoji'], sizes: [20, 46], cacheDirectory: directory });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('renders every concept tightly, at its size, with something to see', () => {
    const [set] = world.sets;
    for (let concept = 0; concept < CONCEPTS.length; concept++) {
      for (const [k, size] of [20, 46].entries()) {
        const { width, height, pixels } = spriteOf(set, concept, k);
        expect(Math.max(width, height)).toBe(size);
        const alpha = pixels.filter((_, i) => i % 4 === 3);
        expect(alpha.filter(a => a > 127).length).toBeGreaterThan(0.08 * width * height);
        // Premultiplied: no channel above alpha.
        expect(pixels.every((v, i) => v <= pixels[i | 3])).toBe(true);
      }
    }
  });

  it('comes back equal from the cache, and survives a damaged one', async () => {
    const options = { styles: ['twemoji'], sizes: [20, 46], cacheDirectory: directory };
    let rendered = 0;
    const onProgress = () => {
      rendered++;
    };
    const again = await loadSprites({ ...options, onProgress });
    expect(rendered).toBe(0);
    expect(again.sets[0].table).toEqual(world.sets[0].table);
    expect(Buffer.compare(again.sets[0].pixels, world.sets[0].pixels)).toBe(0);
    expect(again.sets[0].pixels.buffer).toBeInstanceOf(SharedArrayBuffer);
    const [file] = await readdir(join(directory, 'sprites'));
    const path = join(directory, 'sprites', file);
    const bytes = await readFile(path);
    bytes[bytes.length - 5] ^= 1;
    await writeFile(path, bytes);
    const mended = await loadSprites({ ...options, onProgress });
    expect(rendered).toBe(CONCEPTS.length);
    expect(Buffer.compare(mended.sets[0].pixels, world.sets[0].pixels)).toBe(0);
  });

  it('trains on no test style by default, and says what it does not know', async () => {
    expect(TRAIN_STYLES.some(style => (TEST_STYLES as readonly string[]).includes(style))).toBe(false);
    expect(SPRITE_SIZES).toEqual([20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48]);
    await expect(loadSprites({ styles: ['emoji'] })).rejects.toThrow(/no art set 'emoji'; choose from noto/);
    await expect(loadSprites({ sizes: [30, 20] })).rejects.toThrow(/ascending/);
    await expect(loadSprites({ styles: [] })).rejects.toThrow(/At least one/);
    expect(defaultCacheDirectory()).toMatch(/narrows$/);
  });
});
