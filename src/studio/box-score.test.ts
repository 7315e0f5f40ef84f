import { describe, expect, it } from 'vitest';
import type { ImageAttribution } from '../attribution/result.ts';
import { boxScore } from './box-score.ts';

const view = { left: 10, top: 0, width: 80, height: 40 };
const at = (patches: number[], more: object = {}) => ({
  image: { grid: [2, 4], patches: Float32Array.from(patches), view, ...more } as unknown as ImageAttribution,
});
const box = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });

describe('boxScore', () => {
  it('knows left from right and top from bottom, in pixels of the picture', () => {
    const map = at([8, 0, 0, 0, 0, 0, 0, 2]);
    // Left half of the view; what is interpolated across the middle is nothing.
    expect(boxScore(map, [box(10, 0, 40, 40)])).toEqual({ energy: expect.closeTo(0.8, 5), pointing: 1, area: 0.5 });
    expect(boxScore(map, [box(50, 0, 40, 40)])).toEqual({ energy: expect.closeTo(0.2, 5), pointing: 0, area: 0.5 });
    const top = boxScore(map, [box(10, 0, 80, 20)]);
    expect(top.energy).toBeGreaterThan(0.6);
    expect(top.pointing).toBe(1);
    expect(boxScore(map, [box(10, 20, 80, 20)]).energy).toBeCloseTo(1 - top.energy!, 5);
    expect(boxScore(map, [box(10, 0, 20, 20), box(70, 20, 20, 20)]).area).toBeCloseTo(0.25, 5);
  });

  it('reads pixel maps point by point', () => {
    const pixels = { height: 2, width: 2, values: Float32Array.of(1, 3, 0, -5) };
    expect(boxScore(at([0, 0, 0, 0, 0, 0, 0, 0], { pixels }), [box(50, 0, 40, 20)])).toEqual({ energy: 0.75, pointing: 1, area: 0.25 });
  });

  it('says where nothing is positive, and refuses what lies outside or has no map', () => {
    expect(boxScore(at([0, 0, 0, 0, 0, 0, 0, 0]), [box(10, 0, 20, 20)])).toMatchObject({
      energy: null,
      pointing: 0.125,
      note: expect.stringContaining('nowhere'),
    });
    expect(() => boxScore(at([1, 0, 0, 0, 0, 0, 0, 0]), [box(0, 0, 5, 5)])).toThrow(/outside of what the model sees/);
    expect(() => boxScore({}, [box(0, 0, 5, 5)])).toThrow(/no map of the image/);
  });
});
