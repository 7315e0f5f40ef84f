/** @file Decoding against Pillow's bytes for every kind of file, and one sentence for every bad one. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { decodeImage } from './decode.ts';

const here = join(import.meta.dirname, 'testdata');
const read = (name: string) => readFileSync(join(here, name));
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const photos = JSON.parse(read('golden.json').toString()).cases as { file: string; size: number[]; rgb_sha256: string }[];
const kinds = JSON.parse(read('kinds.json').toString()).cases as { file: string; width: number; height: number; rgb_sha256: string }[];

describe('bytes equal to Pillow', () => {
  test.each(photos)('$file', async ({ file, size, rgb_sha256 }) => {
    const image = await decodeImage(join(here, file));
    expect([image.width, image.height]).toEqual(size);
    expect(sha(image.data)).toBe(rgb_sha256);
  });

  const exact = kinds.filter(k => !k.file.endsWith('.avif') || k.file === 'grey.avif');
  test.each(exact)('$file', async ({ file, width, height, rgb_sha256 }) => {
    const image = await decodeImage(join(here, 'kinds', file), { window: 'pillow' });
    expect([image.width, image.height]).toEqual([width, height]);
    expect(sha(image.data)).toBe(rgb_sha256);
  });

  test('from bytes in memory, which stay as they are', async () => {
    const bytes = read('kinds/transparent.gif');
    const before = sha(bytes);
    const image = await decodeImage(bytes);
    expect(sha(image.data)).toBe(kinds.find(k => k.file === 'transparent.gif')!.rgb_sha256);
    expect(sha(bytes)).toBe(before);
  });
});

test.each([
  ['s444.avif', 0.3, 1],
  ['lossy.avif', 5, 80],
  ['alpha.avif', 5, 80],
])('%s is close to Pillow: mean <= %d, largest <= %d', async (file, mean, largest) => {
  const image = await decodeImage(join(here, 'kinds', file));
  const pillow = await decodeImage(join(here, 'kinds', `${file}.pillow.png`));
  expect([image.width, image.height]).toEqual([pillow.width, pillow.height]);
  const errors = image.data.map((v, i) => Math.abs(v - pillow.data[i]));
  expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThanOrEqual(mean);
  expect(errors.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(largest);
});

test.each(['exif6.jpg', 'exif6.png', 'exif6.webp'])('%s is turned only when asked', async file => {
  const path = join(here, 'kinds', file);
  const stored = await decodeImage(path);
  const turned = await decodeImage(path, { autoOrient: true });
  expect([turned.width, turned.height]).toEqual([stored.height, stored.width]);
  // Orientation 6 is a quarter turn clockwise: the bottom left corner comes to the top left.
  const corner = (stored.height - 1) * stored.width * 3;
  expect(turned.data.slice(0, 3)).toEqual(stored.data.slice(corner, corner + 3));
});

describe('bad input gets one sentence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'narrows-image-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function sentence(source: string | Uint8Array): Promise<string> {
    const error = await decodeImage(source).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(NarrowsError);
    const { message } = error as NarrowsError;
    expect(message).not.toContain('\n');
    expect(message).toMatch(/\.$/);
    expect(message.length).toBeLessThan(300);
    return message;
  }
  const file = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  function greyPng(width: number, height: number, rows: Buffer): Buffer {
    const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
    return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
  }

  test('missing, directory, empty, text', async () => {
    expect(await sentence(join(folder, 'none.png'))).toBe(`Image ${join(folder, 'none.png')} does not exist; check the path.`);
    expect(await sentence(folder)).toContain('is a directory');
    expect(await sentence(file('empty.png', ''))).toContain('is empty (0 bytes)');
    expect(await sentence(new Uint8Array())).toBe('The image is empty (0 bytes); fetch it again or save it anew.');
    expect(await sentence(file('text.png', 'a photo of a cat\n'))).toContain('is not an image Narrows can read');
    expect(await sentence(join(file('a.png', 'x'), 'b.png'))).toContain('a part of the path is a file');
    expect(await sentence('/dev/zero')).toContain('is a device');
  });

  test('a kind that is not read', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>';
    expect(await sentence(file('drawing.png', svg))).toContain(
      'of kind svg; Narrows reads PNG, JPEG, WebP, GIF, AVIF, TIFF, BMP, PNM (PBM, PGM, PPM) and DICOM',
    );
  });

  test.each([
    'rocket.jpg',
    'cmyk.jpg',
    'coffee.png',
    'kinds/progressive.jpg',
    'kinds/lossy.webp',
    'kinds/lossless.webp',
    'kinds/still.gif',
    'kinds/lossy.avif',
  ])('%s cut short anywhere', async name => {
    const bytes = read(name);
    for (const part of [0.02, 0.3, 0.6, 0.95])
      expect(await sentence(bytes.subarray(0, Math.ceil(bytes.length * part)))).toMatch(/damaged|not an image/);
    if (name.endsWith('.jpg')) expect(await sentence(bytes.subarray(0, bytes.length - 2))).toContain('cut short');
  });

  test('a scrambled JPEG, a PNG with a wrong checksum', async () => {
    const jpeg = Buffer.from(read('rocket.jpg'));
    for (let i = 50000; i < 50400; i++) jpeg[i] = (jpeg[i] * 7 + i) & 255;
    expect(await sentence(file('scrambled.jpg', jpeg))).toContain('is damaged');
    const png = Buffer.from(read('coffee.png'));
    png[200000] ^= 64;
    expect(await sentence(png)).toContain('is damaged');
  });

  test('what Pillow forgives is forgiven: bytes after the end', async () => {
    const bytes = Buffer.concat([read('rocket.jpg'), Buffer.from('left over')]);
    expect(sha((await decodeImage(bytes)).data)).toBe(photos.find(p => p.file === 'rocket.jpg')!.rgb_sha256);
  });

  test('20000 x 20000 is refused before anything is allocated, 20000 x 2 is read', async () => {
    const before = process.memoryUsage().rss;
    const huge = await sentence(file('huge.png', greyPng(20000, 20000, Buffer.alloc(1000))));
    expect(huge).toMatch(/20000 x 20000, 400 million pixels; the limit is 178956970/);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    const strip = await decodeImage(greyPng(20000, 2, Buffer.alloc(40002)));
    expect([strip.width, strip.height, strip.data.length]).toEqual([20000, 2, 120000]);
  });
});
