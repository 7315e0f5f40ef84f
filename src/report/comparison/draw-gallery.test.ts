import { describe, expect, it } from 'vitest';
import type { ResultCase, ResultMap } from '../../evaluation/compare/results.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { pictureOf } from '../attribution/sharp-codec.ts';
import { drawGallery, drawMap, outlined } from './draw-gallery.ts';
import { exampleResults } from './testing/example-results.ts';

const grey = (width: number, height: number): RgbImage => ({ width, height, data: new Uint8Array(3 * width * height).fill(120) });
const colourAt = ({ width, data }: RgbImage, x: number, y: number): number[] => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];
const far = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

const base: ResultCase = {
  place: 'best',
  metric: 'm',
  pair: '0',
  caption: 'x',
  picture: grey(60, 40),
  grid: [2, 3],
  view: { left: 0, top: 0, width: 60, height: 40 },
  maps: [],
};
const one = (values: readonly number[], unit: 'nats' | 'score' = 'nats'): ResultMap => ({ method: 'a', value: 0, unit, values });

describe('a map drawn on its picture', () => {
  it('is hot where its patch is, row by row, and nowhere else', () => {
    for (let patch = 0; patch < 6; patch++) {
      const drawn = drawMap(base, one(Array.from({ length: 6 }, (_, i) => Number(i === patch))));
      const [row, column] = [Math.floor(patch / 3), patch % 3];
      for (let i = 0; i < 6; i++) {
        const difference = far(colourAt(drawn, 10 + 20 * (i % 3), 10 + 20 * Math.floor(i / 3)), [120, 120, 120]);
        if (i === 3 * row + column) expect(difference).toBeGreaterThan(60);
        else expect(difference).toBeLessThan(40);
      }
    }
  });

  it('shows a small value fainter than a large one, by the map’s own scale', () => {
    const drawn = drawMap(base, one([1, 0, 0, 0, 0, 4]));
    const strength = (x: number, y: number) => far(colourAt(drawn, x, y), [120, 120, 120]);
    expect(strength(10, 10)).toBeGreaterThan(15);
    expect(strength(50, 30)).toBeGreaterThan(1.3 * strength(10, 10));
    const scaled = drawMap(base, one([10, 0, 0, 0, 0, 40]));
    expect(scaled.data).toEqual(drawn.data);
  });

  it('gives the two signs two colours', () => {
    const drawn = drawMap(base, one([1, 0, 0, 0, 0, -1], 'score'));
    expect(far(colourAt(drawn, 10, 10), colourAt(drawn, 50, 30))).toBeGreaterThan(60);
  });

  it('covers what the model saw and veils the rest', () => {
    const drawn = drawMap({ ...base, view: { left: 30, top: 0, width: 30, height: 40 } }, one([9, 0, 0, 9, 0, 0]));
    const veil = colourAt(drawn, 2, 20);
    expect(colourAt(drawn, 28, 5)).toEqual(veil);
    expect(far(colourAt(drawn, 34, 20), veil)).toBeGreaterThan(60);
  });
});

it('the truth is outlined from outside: white, then black, nothing within', () => {
  const mask = new Uint8Array(20 * 10);
  for (let y = 4; y < 7; y++) mask.fill(1, y * 20 + 8, y * 20 + 12);
  const drawn = outlined(grey(20, 10), mask);
  const row = Array.from({ length: 20 }, (_, x) => colourAt(drawn, x, 5)[0]);
  expect(row).toEqual([120, 120, 120, 120, 120, 120, 0, 255, 120, 120, 120, 120, 255, 0, 120, 120, 120, 120, 120, 120]);
});

it('every case has its bare picture and a picture per map, by the method’s name', async () => {
  const results = await exampleResults({ pairs: 3, seeds: 1, perFamily: 1 });
  const drawn = await drawGallery(results);
  for (const { gallery, modality } of results.parts)
    for (const each of gallery) {
      const { plain, maps } = drawn.get(each)!;
      expect(await pictureOf(plain)).toEqual(each.picture);
      expect([...maps.keys()]).toEqual(modality === 'image' ? each.maps.map(m => m.method) : []);
      for (const uri of maps.values()) expect(uri).toMatch(/^data:image\/(webp|png);base64,/);
    }
});
