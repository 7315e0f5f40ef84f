import { describe, expect, it } from 'vitest';
import { insideBox, shareInside } from '../../evaluation/compare/data/inside-box.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';

import { furtherNames, renamed } from './audit-columns.ts';

// A map of two patches side by side on the right three quarters of a picture of 400 x 200 pixels.
const map = {
  grid: [1, 2] as const,
  patches: [3, 1],
  view: { left: 100, top: 0, width: 300, height: 200 },
  size: { width: 400, height: 200 },
};
const pair = (further: Record<string, unknown>): ListedPair => ({
  image: 'a.png',
  path: 'a.png',
  text: 'a',
  line: 2,
  where: 'l.csv, line 2',
  further,
});

describe('the share of a map inside a box', () => {
  it('is of the positive mass, in pixels of the picture', () => {
    expect(shareInside(map, [[0, 0, 400, 200]])).toBe(1);
    expect(shareInside(map, [[0, 0, 100, 200]])).toBe(0);
    // Bilinear between the centres at 175 and 325; halves meet at 250.
    const left = shareInside(map, [[100, 0, 150, 200]]);
    expect(left).toBeCloseTo(0.6875, 2);
    expect(left + shareInside(map, [[250, 0, 150, 200]])).toBeCloseTo(1, 9);
    expect(shareInside(map, [[100, 0, 300, 50]])).toBeCloseTo(0.25, 9);
    // Boxes that overlap count once.
    expect(
      shareInside(map, [
        [100, 0, 150, 200],
        [100, 0, 150, 200],
      ]),
    ).toBe(left);
    expect(shareInside({ ...map, patches: [-3, 1] }, [[325, 0, 75, 200]])).toBeGreaterThan(0.6);
  });

  it('is taken of box and boxes, of CSV cells and of JSON; what cannot be used is said', () => {
    const of = (further: Record<string, unknown>) => insideBox(pair(further), () => map);
    expect(of({ box: '[100, 0, 300, 50]' }).share).toBeCloseTo(0.25, 9);
    expect(
      of({
        boxes: [
          [100, 0, 300, 25],
          [100, 175, 300, 25],
        ],
      }).share,
    ).toBeCloseTo(0.25, 9);
    expect(of({ ' box ': '{"left":100,"top":0,"width":300,"height":50}' }).share).toBeCloseTo(0.25, 9);
    expect(of({ box: '', site: 'x' })).toEqual({});
    expect(of({ box: 'here' }).warning).toMatch(/four numbers.*left out/);
    expect(of({ box: [0, 0, 500, 50] }).warning).toMatch(/reaches out of the picture of 400 x 200/);
    expect(insideBox(pair({ box: [0, 0, 1, 1] }), () => ({ ...map, patches: [0, 0] })).warning).toMatch(/nowhere positive/);
    expect(insideBox(pair({ box: [0, 0, 1, 1] }), () => undefined)).toEqual({});
  });
});

it('columns of the list never hide those of the audit', () => {
  const names = furtherNames([pair({ cosine: 1, site: 'x' }), pair({ 'cosine (list)': 2 })]);
  expect([...names]).toEqual([
    ['cosine', 'cosine (list)'],
    ['site', 'site'],
    ['cosine (list)', 'cosine (list) (list)'],
  ]);
  expect(renamed(pair({ cosine: 1, site: 'x' }), names).further).toEqual({ 'cosine (list)': 1, site: 'x' });
});
