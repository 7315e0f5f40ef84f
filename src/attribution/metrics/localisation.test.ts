import { describe, expect, it } from 'vitest';
import { localisation } from './localisation.ts';

const grid = [4, 4] as const;
const map = (values: Record<number, number>, fill = 0): Float32Array => Float32Array.from({ length: 16 }, (_, i) => values[i] ?? fill);
const box = { left: 16, top: 8, width: 16, height: 8 };

describe('localisation', () => {
  it('is 1 for a map in the box, 0 for one outside', () => {
    // At one pixel per patch nothing is smeared by enlarging.
    const small = { left: 2, top: 1, width: 2, height: 1 };
    expect(localisation(map({ 6: 3, 7: 2 }), grid, [4, 4], small)).toEqual({ energy: 1, pointing: 1 });
    expect(localisation(map({ 0: 3, 13: 2 }), grid, [4, 4], small)).toEqual({ energy: 0, pointing: 0 });
    const { energy, pointing } = localisation(map({ 6: 3, 0: 1 }), grid, [4, 4], small);
    expect([energy, pointing]).toEqual([0.75, 1]);
    // Patch 6 of four pixels' side fills rows 8–15, columns 16–23; half of it is smeared over its neighbours at most.
    const large = localisation(map({ 6: 1, 7: 1 }), grid, [32, 32], box);
    expect(large.energy).toBeGreaterThan(0.7);
    expect(large.energy).toBeLessThan(1);
    expect(large.pointing).toBe(1);
  });

  it('is the share of the box for a map that says nothing', () => {
    const share = (16 * 8) / (32 * 32);
    for (const fill of [0, -1, 1]) {
      const { energy, pointing } = localisation(map({}, fill), grid, [32, 32], box);
      expect(energy).toBeCloseTo(share, 9);
      // Every pixel is a maximum.
      expect(pointing).toBeCloseTo(share, 9);
    }
  });

  it('counts ties by their share in the box', () => {
    const small = { left: 2, top: 1, width: 2, height: 1 };
    expect(localisation(map({ 6: 2, 9: 2, 0: 1 }), grid, [4, 4], small).pointing).toBe(0.5);
    expect(localisation(map({ 6: 2, 7: 2, 9: 2 }), grid, [4, 4], small).pointing).toBeCloseTo(2 / 3, 12);
  });

  it('ignores negative values', () => {
    const small = { left: 2, top: 1, width: 2, height: 1 };
    expect(localisation(map({ 6: 2, 7: -5, 0: 2, 1: -100 }), grid, [4, 4], small)).toEqual({ energy: 0.5, pointing: 0.5 });
    expect(localisation(map({ 6: -1 }, -3), grid, [4, 4], small)).toEqual({ energy: 2 / 16, pointing: 1 });
  });

  it('does not depend on the scale of the map, and the whole image as box holds all', () => {
    const values = map({ 1: 0.3, 6: 2, 11: 0.7 }, 0.1);
    const one = localisation(values, grid, [32, 32], box);
    const ten = localisation(
      values.map(v => 16 * v),
      grid,
      [32, 32],
      box,
    );
    expect(ten).toEqual(one);
    expect(localisation(values, grid, [32, 32], { left: 0, top: 0, width: 32, height: 32 })).toEqual({ energy: 1, pointing: 1 });
  });

  it('takes images and grids that are not square', () => {
    const values = Float32Array.of(0, 0, 5, 0, 0, 0);
    expect(localisation(values, [2, 3], [2, 3], { left: 2, top: 0, width: 1, height: 1 })).toEqual({ energy: 1, pointing: 1 });
    expect(localisation(values, [2, 3], [2, 3], { left: 0, top: 1, width: 3, height: 1 })).toEqual({ energy: 0, pointing: 0 });
  });
});
