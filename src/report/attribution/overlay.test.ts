import { describe, expect, test } from 'vitest';
import { colourMap } from './colour-map.ts';
import { contourLines } from './contour.ts';
import { displayScale } from './normalise.ts';
import { composite, greyed, heatField, overlayLayer, viewBox } from './overlay.ts';
import { exampleResult } from './testdata/example-result.ts';

const result = exampleResult({ caption: 'a', width: 60, height: 40, grid: [4, 4] });
const image = result.image!;
const original = { width: 60, height: 40 };
const style = { method: 'heat', map: colourMap('narrows-heat'), scale: displayScale(image.patches, 'nats'), opacity: 1 } as const;

describe('the heat layer', () => {
  test('lies only on the view; the rest is veiled', () => {
    expect(viewBox(image, original, 60, 40)).toEqual({ left: 10, top: 0, width: 40, height: 40 });
    const layer = overlayLayer(image, original, 60, 40, style);
    const pixel = (x: number, y: number) => Array.from(layer.data.subarray((y * 60 + x) * 4, (y * 60 + x) * 4 + 4));
    expect(pixel(9, 20)).toEqual([128, 130, 134, 190]);
    expect(pixel(50, 20)).toEqual([128, 130, 134, 190]);
    expect(pixel(10, 0)[3]).toBe(255);
    const field = heatField(image, 40, 40);
    const index = Math.round((field[20 * 40 + 15] / style.scale.high) * 255);
    expect(pixel(25, 20).slice(0, 3)).toEqual(Array.from(style.map.table.subarray(index * 3, index * 3 + 3)));
  });
  test('follows a view that reaches outside the picture', () => {
    const padded = { ...image, view: { left: 0, top: -10, width: 60, height: 60 } };
    expect(viewBox(padded, original, 60, 40)).toEqual({ left: 0, top: -10, width: 60, height: 60 });
    const layer = overlayLayer(padded, original, 60, 40, style);
    const row = heatField(padded, 60, 60).subarray(10 * 60, 11 * 60);
    const first = Math.round((row[30] / style.scale.high) * 255) * 3;
    expect(Array.from(layer.data.subarray(30 * 4, 30 * 4 + 3))).toEqual(Array.from(style.map.table.subarray(first, first + 3)));
  });
  test('follows a view that is wider than high: the rest above and below is veiled', () => {
    const wide = { ...image, view: { left: 10, top: 15, width: 40, height: 10 } };
    const layer = overlayLayer(wide, original, 60, 40, style);
    const veiled = (x: number, y: number) => layer.data[(y * 60 + x) * 4 + 3] === 190;
    const places = [
      [30, 14],
      [30, 15],
      [30, 24],
      [30, 25],
      [9, 20],
      [10, 20],
      [49, 20],
      [50, 20],
    ];
    expect(places.map(([x, y]) => veiled(x, y))).toEqual([true, false, false, true, true, false, false, true]);
  });
  test('masks by letting light through, and blends by the value', () => {
    const white = { width: 60, height: 40, data: new Uint8Array(60 * 40 * 3).fill(255) };
    const masked = composite(white, overlayLayer(image, original, 60, 40, { ...style, method: 'masked' }));
    const at = (x: number, y: number) => masked.data[(y * 60 + x) * 3];
    expect(at(30, 20)).toBeGreaterThan(at(12, 2) + 100);
    const blended = overlayLayer(image, original, 60, 40, { ...style, method: 'blended', opacity: 0.5 });
    const alphas = Array.from(blended.data).filter((_, i) => i % 4 === 3 && (i >> 2) % 60 >= 10 && (i >> 2) % 60 < 50);
    expect(Math.max(...alphas)).toBeLessThanOrEqual(128);
    expect(Math.min(...alphas)).toBeLessThan(40);
  });
  test('of a map of one value: opaque by strength to 0.6 when blended, dark by what its power of 0.7 leaves when masked', () => {
    for (const strength of [0.1, 0.25, 0.5, 0.9, 1]) {
      const flat = { ...image, patches: new Float32Array(16).fill(strength) };
      const scale = displayScale([0, 1], 'nats');
      const alphaOf = (method: 'blended' | 'masked' | 'heat', opacity: number): number =>
        overlayLayer(flat, original, 60, 40, { ...style, scale, method, opacity }).data[(20 * 60 + 30) * 4 + 3];
      for (const opacity of [1, 0.6]) {
        expect(alphaOf('blended', opacity)).toBe(Math.round(255 * opacity * strength ** 0.6));
        expect(alphaOf('masked', opacity)).toBe(Math.round(255 * opacity * (1 - strength ** 0.7)));
        expect(alphaOf('heat', opacity)).toBe(Math.round(255 * opacity));
      }
    }
  });
  test('grey is luma, and a layer mixes by its opacity', () => {
    const picture = { width: 3, height: 1, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255) };
    expect([...greyed(picture).data]).toEqual([54, 54, 54, 182, 182, 182, 18, 18, 18]);
    const layer = { width: 3, height: 1, data: Uint8Array.of(0, 100, 200, 255, 0, 100, 200, 51, 9, 9, 9, 0) };
    expect([...composite(picture, layer).data]).toEqual([0, 100, 200, 0, 224, 40, 0, 0, 255]);
  });
  test('a picture of 640×3 and of one pixel come out whole', () => {
    for (const [width, height] of [
      [640, 3],
      [1, 1],
    ] as const) {
      const thin = exampleResult({ caption: 'a', width, height });
      const layer = overlayLayer(thin.image!, { width, height }, width, height, style);
      expect(layer.data).toHaveLength(width * height * 4);
      expect(layer.data.filter((_, i) => i % 4 === 3).every(alpha => alpha > 0)).toBe(true);
    }
  });
});

test('contours close round a hill and keep its radius', () => {
  const size = 41;
  const field = Float32Array.from({ length: size * size }, (_, i) => -Math.hypot((i % size) - 20, Math.floor(i / size) - 20));
  const lines = contourLines(field, [size, size], -10);
  expect(lines).toHaveLength(1);
  expect(lines[0][0]).toEqual(lines[0].at(-1));
  for (const [x, y] of lines[0]) expect(Math.abs(Math.hypot(x - 20, y - 20) - 10)).toBeLessThan(0.06);
  expect(contourLines(field, [size, size], 5)).toEqual([]);
});
