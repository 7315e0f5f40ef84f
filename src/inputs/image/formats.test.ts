/** @file TIFF, BMP, PNM, odd GIFs and films of 10 to 16 bits: Pillow's bytes, numpy's windows, and what is said of each. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeImage, imageSize } from './decode.ts';
import type { ImageReadOptions } from './image-reading.ts';

interface Case {
  file: string;
  width: number;
  height: number;
  rgb_sha256: string;
  least?: number;
  most?: number;
  windows?: { low: number; high: number; sha256: string }[];
}
const here = join(import.meta.dirname, 'testdata');
const cases = JSON.parse(readFileSync(join(here, 'formats.json'), 'utf8')).cases as Case[];
const path = (file: string) => join(here, 'formats', file);
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const films = cases.filter(c => c.windows);

/** A decoded picture with all that was said of it. */
async function read(source: string | Uint8Array, options: ImageReadOptions = {}) {
  const said: string[] = [];
  const image = await decodeImage(source, { ...options, onWarning: m => said.push(m), onNote: m => said.push(m) });
  return { image, said };
}

describe('by Pillow', () => {
  test.each(cases.filter(c => !c.file.includes('white-is-zero')))('$file', async ({ file, width, height, rgb_sha256 }) => {
    const { image } = await read(path(file), { window: 'pillow' });
    expect([image.width, image.height]).toEqual([width, height]);
    expect(sha(image.data)).toBe(rgb_sha256);
    expect(await imageSize(path(file))).toEqual({ width, height });
  });

  test('what is not wider than 8 bits does not need to be asked', async () => {
    for (const { file, rgb_sha256 } of cases.filter(c => !c.windows && !c.file.includes('white-is-zero')))
      expect(sha((await read(path(file))).image.data), file).toBe(rgb_sha256);
  });

  test('a film whose 0 is white is shown as a viewer does: dark where Pillow is bright', async () => {
    const grey = await decodeImage(path('white-is-zero.tif'));
    const want = cases.find(c => c.file === 'white-is-zero.tif')!;
    expect(sha(grey.data)).toBe(want.rgb_sha256);
    const window = [300, 3000] as const;
    const [usual, turned] = await Promise.all(['film-12.tif', 'film-12-white-is-zero.tif'].map(f => decodeImage(path(f), { window })));
    expect(turned.data).toEqual(usual.data.map(v => 255 - v));
    expect(turned.reading.window).toEqual({ rule: 'given', low: 300, high: 3000 });
  });
});

describe('more than 8 bits', () => {
  test.each(films)('$file: numpy by the values that are there, and by given ones', async ({ file, least, most, windows }) => {
    const stated = file.endsWith('.pgm');
    const { image, said } = await read(path(file));
    expect(image.reading.window).toEqual({ rule: 'auto', low: stated ? 0 : least, high: stated ? 4095 : most });
    expect(sha(image.data)).toBe(windows!.find(w => w.low === image.reading.window!.low && w.high === image.reading.window!.high)!.sha256);
    expect(image.reading.warnings).toEqual([]);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`${image.reading.window!.low} became black and ${image.reading.window!.high} white`);
    for (const { low, high, sha256 } of windows!) {
      const given = await decodeImage(path(file), { window: [low, high] });
      expect(sha(given.data)).toBe(sha256);
      expect(given.reading.window).toEqual({ rule: 'given', low, high });
    }
  });

  test("Pillow's rule cuts a film off: said, with a window that helps", async () => {
    const { image, said } = await read(path('film-12.png'), { window: 'pillow' });
    expect(image.reading.clipped).toBe(1);
    expect(said[0]).toMatch(/film-12\.png: 100 % of its values lie outside of 0 to 255.*--window 500,2888/);
    const [low, high] = /--window (\d+),(\d+)/.exec(said[0])!.slice(1).map(Number);
    const helped = await read(path('film-12.png'), { window: [low, high] });
    expect(helped.image.reading.warnings).toEqual([]);
    expect(new Set(helped.image.data).size).toBeGreaterThan(150);
  });

  test('the share that is lost is counted, not guessed', async () => {
    const [low, high] = [500, 1500];
    const whole = await decodeImage(path('film-12.tif'), { window: [0, 4095] });
    expect(whole.reading.clipped).toBe(0);
    const cut = await decodeImage(path('film-12.tif'), { window: [low, high] });
    const white = cut.data.filter((v, i) => i % 3 === 0 && v === 255).length / (cut.data.length / 3);
    expect(cut.reading.clipped!).toBeGreaterThan(0.3);
    expect(Math.abs(cut.reading.clipped! - white)).toBeLessThan(0.02);
  });

  test('one burnt-in white label does not make a film black in silence', async () => {
    const values = Uint16Array.from({ length: 64 * 64 }, (_, i) => (i === 77 ? 65535 : 1000 + (i % 64) * 20));
    const { image, said } = await read(greyPng16(64, 64, values));
    expect(image.reading.window).toEqual({ rule: 'auto', low: 1000, high: 65535 });
    expect(said[0]).toMatch(/99 % of its values lie between 1000 and 2260.*--window 1000,2260/);
    expect((await read(greyPng16(64, 64, values), { window: [1000, 2260] })).image.reading.warnings).toEqual([]);
  });

  test('8 bits are left unchanged, and a window for them is named as not applied', async () => {
    const { said, image } = await read(path('rgb-24.bmp'), { window: [0, 4095] });
    expect(said).toEqual([`Image ${path('rgb-24.bmp')}: it has 8 bits per sample, so the window 0,4095 was not applied to it.`]);
    expect(sha(image.data)).toBe(cases.find(c => c.file === 'rgb-24.bmp')!.rgb_sha256);
    await expect(decodeImage(path('film-12.png'), { window: [9, 9] })).rejects.toThrow(/A window needs two numbers, the lower one first/);
  });
});

describe('what is in the file besides', () => {
  test('several pages, several frames: the first, said', async () => {
    expect((await read(path('pages.tif'))).said[0]).toMatch(/the first of 3 pictures in the file/);
    expect((await decodeImage(join(here, 'kinds', 'animated.gif'))).reading.pages).toBe(2);
  });

  test.each([
    ['exif6.jpg', false],
    ['kinds/exif6.png', false],
    ['kinds/exif6.webp', false],
    ['formats/exif6.tif', true],
  ])('an orientation tag is said: %s', async (file, always) => {
    const stored = await read(join(here, file));
    const turned = await read(join(here, file), { autoOrient: true });
    expect(stored.image.reading.orientation).toEqual({ tag: 6, applied: always });
    expect(turned.image.reading.orientation).toEqual({ tag: 6, applied: true });
    expect(stored.said.some(s => s.includes('--auto-orient'))).toBe(!always);
    expect(turned.image.reading.warnings).toEqual([]);
    for (const [options, { image }] of [
      [{}, stored],
      [{ autoOrient: true }, turned],
    ] as const)
      expect(await imageSize(join(here, file), options)).toEqual({ width: image.width, height: image.height });
  });
});

describe('one sentence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'narrows-formats-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['refused-float.tif', /holds floating-point numbers, .* 8 or 16 bits per sample/],
    ['refused-int32.tif', /8 or 16 bits per sample/],
    ['refused-signed.tif', /holds signed numbers/],
    ['refused-ycbcr.tif', /holds YCbCr colours/],
    ['refused-lab.tif', /holds CIELAB colours/],
  ])('%s', async (file, message) => {
    await expect(decodeImage(path(file))).rejects.toThrow(message);
  });

  test.each(cases.filter(c => !/\.(png|gif)$/.test(c.file)).map(c => c.file))('%s cut short anywhere', async file => {
    const bytes = readFileSync(path(file));
    for (const share of [0.04, 0.2, 0.5, 0.9]) {
      const part = bytes.subarray(0, Math.ceil(bytes.length * share));
      await expect(decodeImage(part)).rejects.toThrow(/^The image (is|holds) .*\.$/);
    }
  });

  test('a named pipe is refused at once, not waited for', async () => {
    const pipe = join(folder, 'pipe.png');
    execFileSync('mkfifo', [pipe]);
    await expect(decodeImage(pipe)).rejects.toThrow(`Image ${pipe} is a named pipe; give the path of an image file.`);
  });

  test('sizes are read before anything is allocated: BMP, PNM and GIF of 100 gigapixels', async () => {
    const bmp = Buffer.from(readFileSync(path('runs-8.bmp')));
    bmp.writeInt32LE(1 << 20, 18);
    bmp.writeInt32LE(100000, 22);
    const gif = Buffer.from(readFileSync(path('canvas-640x480.gif')));
    gif.writeUInt16LE(65535, 6);
    gif.writeUInt16LE(65535, 8);
    for (const bytes of [bmp, gif, Buffer.from('P5 1000000 100000 255\n')])
      await expect(decodeImage(bytes)).rejects.toThrow(/million pixels; the limit is 178956970/);
  });

  test('a 16-bit colour PNG of 36 megapixels is read in bounded memory', async () => {
    const [width, height] = [6000, 6000];
    const row = Buffer.alloc(1 + width * 6);
    for (let i = 1; i < row.length; i += 2) row.writeUInt16BE(0xab12, i);
    const image = await decodeImage(png(width, height, 16, 2, Buffer.concat(Array.from({ length: height }, () => row))));
    expect(image.data.length).toBe(width * height * 3);
    expect(image.data[5]).toBe(0xab);
    expect(image.data.at(-1)).toBe(0xab);
    expect(image.reading).toEqual({ format: 'png', bits: 16, window: { rule: 'auto', low: 0, high: 65535 }, clipped: 0, warnings: [] });
  });
});

function png(width: number, height: number, depth: number, colour: number, rows: Buffer): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, depth, colour, 0, 0, 0]);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const data = deflateSync(rows, { level: 1 });
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function greyPng16(width: number, height: number, values: Uint16Array): Buffer {
  const rows = Buffer.alloc(height * (1 + 2 * width));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.writeUInt16BE(values[y * width + x], y * (1 + 2 * width) + 1 + 2 * x);
  return png(width, height, 16, 0, rows);
}
