import { describe, expect, test } from 'vitest';
import { colourMap, colourMaps, hex } from './colour-map.ts';
import { contrast, oklchToRgb, rgbToOklab, type Triple } from './oklab.ts';

const distance = (a: Triple, b: Triple) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const entry = (table: Uint8Array, i: number): Triple => [table[3 * i], table[3 * i + 1], table[3 * i + 2]];

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const blindness: Record<string, number[][]> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const linear = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const encoded = (v: number) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
const seen = (rgb: Triple, matrix: number[][]): Triple => {
  const light = rgb.map(linear);
  const [r, g, b] = matrix.map(row =>
    encoded(
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, k, i) => sum + k * light[i], 0),
        ),
      ),
    ),
  );
  return [r, g, b];
};

describe('OKLab', () => {
  test('knows the published values of white and of the sRGB primaries', () => {
    const close = (rgb: Triple, lab: Triple) => {
      for (const [i, v] of rgbToOklab(rgb).entries()) expect(v).toBeCloseTo(lab[i], 3);
    };
    close([255, 255, 255], [1, 0, 0]);
    close([255, 0, 0], [0.62796, 0.22486, 0.12585]);
    close([0, 255, 0], [0.86644, -0.23389, 0.1795]);
    close([0, 0, 255], [0.45201, -0.03246, -0.31153]);
  });
  test('keeps lightness and hue when chroma must give way', () => {
    const [lightness, a, b] = rgbToOklab(oklchToRgb(0.6, 0.5, 140));
    expect(lightness).toBeCloseTo(0.6, 3);
    expect((Math.atan2(b, a) * 180) / Math.PI).toBeCloseTo(140, 0);
  });
  test('black on white has a contrast of 21', () => expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 6));
});

describe.each(colourMaps.filter(map => map.kind === 'sequential'))('$name', map => {
  test('rises in even steps of lightness', () => {
    const steps = Array.from({ length: 256 }, (_, i) => rgbToOklab(map.at(i / 255))[0]);
    const mean = (steps[255] - steps[0]) / 255;
    expect(mean).toBeGreaterThan(0.0027);
    for (let i = 1; i < 256; i++) expect((steps[i] - steps[i - 1]) / mean).toBeCloseTo(1, 1);
  });
  test('rises in the rounded table too', () => {
    for (let i = 4; i < 256; i++) expect(rgbToOklab(entry(map.table, i))[0]).toBeGreaterThan(rgbToOklab(entry(map.table, i - 4))[0]);
  });
  test('has no stretch where the eye sees nothing change, and none where it jumps', () => {
    const labs = Array.from({ length: 65 }, (_, i) => rgbToOklab(map.at(i / 64)));
    const steps = labs.slice(1).map((lab, i) => distance(lab, labs[i]));
    expect(Math.max(...steps) / Math.min(...steps)).toBeLessThan(3);
  });
  test.each(Object.keys(blindness))('keeps its order under %s', kind => {
    const lightness = Array.from({ length: 33 }, (_, i) => rgbToOklab(seen(map.at(i / 32), blindness[kind]))[0]);
    for (let i = 1; i < 33; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 1]);
  });
});

describe.each(colourMaps.filter(map => map.kind === 'diverging'))('$name', map => {
  test('is neutral in the middle and even to both sides', () => {
    const [, a, b] = rgbToOklab(map.at(0.5));
    expect(Math.hypot(a, b)).toBeLessThan(0.002);
    for (let i = 0; i <= 64; i++) expect(rgbToOklab(map.at(i / 128))[0]).toBeCloseTo(rgbToOklab(map.at(1 - i / 128))[0], 3);
  });
  test.each(Object.keys(blindness))('tells its two ends apart under %s', kind => {
    const [low, high] = [0, 1].map(t => rgbToOklab(seen(map.at(t), blindness[kind])));
    expect(distance(low, high)).toBeGreaterThan(0.12);
  });
});

test('an unknown map is refused with the names there are', () => {
  expect(() => colourMap('jet')).toThrow(/no colour map 'jet'; choose one of narrows-heat/);
  expect(hex([255, 0.4, 16])).toBe('#ff0010');
});
