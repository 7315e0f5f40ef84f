/** @file Resizing against Pillow's bytes, and properties every resampler must have. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeImage } from './decode.ts';
import { FILTERS, type Filter } from './filters.ts';
import { resizeImage } from './resize.ts';
import type { RgbImage } from './rgb-image.ts';

interface Resizing {
  width: number;
  height: number;
  filter: Filter;
  sha256: string;
}
const here = join(import.meta.dirname, 'testdata');
const json = (name: string) => JSON.parse(readFileSync(join(here, name), 'utf8'));
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sets: { file: string; resize: Resizing[] }[] = [
  ...json('golden.json').cases,
  { file: 'kinds/interlaced.png', resize: json('kinds.json').resize },
];

describe('bytes equal to Pillow', () => {
  test.each(sets)('$file', async ({ file, resize }) => {
    const image = await decodeImage(join(here, file));
    expect(resize.length).toBeGreaterThanOrEqual(25);
    const wrong = resize.filter(r => sha(resizeImage(image, r.width, r.height, r.filter).data) !== r.sha256);
    expect(wrong).toEqual([]);
  });
});

const filters = fc.constantFrom(...FILTERS);
const edge = fc.integer({ min: 1, max: 40 });
const image = fc
  .tuple(edge, edge)
  .chain(([width, height]) =>
    fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }).map((data): RgbImage => ({ width, height, data })),
  );

describe('properties', () => {
  test('the same size gives the same bytes, in a copy', () => {
    fc.assert(
      fc.property(image, filters, (picture, filter) => {
        const same = resizeImage(picture, picture.width, picture.height, filter);
        expect(Buffer.compare(same.data, picture.data)).toBe(0);
        expect(same.data).not.toBe(picture.data);
      }),
    );
  });

  test('one colour stays that colour', () => {
    fc.assert(
      fc.property(edge, edge, edge, edge, filters, fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)), (w, h, W, H, filter, colour) => {
        const fill = (n: number) => Uint8Array.from({ length: n * 3 }, (_, i) => colour[i % 3]);
        expect(resizeImage({ width: w, height: h, data: fill(w * h) }, W, H, filter).data).toEqual(fill(W * H));
      }),
    );
  });

  test('a window is that part of the whole', () => {
    const window = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(image, edge, edge, filters, window, (picture, width, height, filter, [a, b, c, d]) => {
        const left = a % width;
        const top = b % height;
        const part = { left, top, width: 1 + (c % (width - left)), height: 1 + (d % (height - top)) };
        const whole = resizeImage(picture, width, height, filter);
        const rows = Array.from({ length: part.height }, (_, y) => {
          const start = ((top + y) * width + left) * 3;
          return [...whole.data.subarray(start, start + part.width * 3)];
        });
        const { data, ...size } = resizeImage(picture, width, height, filter, part);
        expect(size).toEqual({ width: part.width, height: part.height });
        expect([...data]).toEqual(rows.flat());
      }),
    );
  });

  test('a window of a very long strip costs only the window', () => {
    const strip = { width: 20000, height: 1, data: new Uint8Array(60000).fill(9) };
    const part = resizeImage(strip, 224 * 20000, 224, 'bicubic', { left: 2239888, top: 0, width: 224, height: 224 });
    expect(part.data.length).toBe(224 * 224 * 3);
    expect(part.data.every(v => v === 9)).toBe(true);
  });

  test.each([0, -1, 1.5, Number.NaN])('a size of %d is refused', size => {
    expect(() => resizeImage({ width: 1, height: 1, data: new Uint8Array(3) }, size, 4, 'box')).toThrow(RangeError);
  });
});
