import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis, spread } from './chart.ts';
import { front } from './cost-chart.ts';
import { areaUnder, highlighted } from './curves-chart.ts';
import { placeLabels } from './place-labels.ts';

describe('labels of points', () => {
  const bounds = { left: 0, top: 0, right: 500, bottom: 300 };
  const point = fc.record({
    x: fc.double({ min: 20, max: 480, noNaN: true }),
    y: fc.double({ min: 20, max: 280, noNaN: true }),
    width: fc.integer({ min: 20, max: 120 }),
    height: fc.constant(14),
  });
  it('cover neither each other nor a point, and stay inside', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), points => {
        const boxes = placeLabels(points, bounds, 5).flatMap((p, i) =>
          p ? [{ left: p.left, top: p.top, right: p.left + points[i].width, bottom: p.top + 14 }] : [],
        );
        const apart = (a: (typeof boxes)[0], b: (typeof boxes)[0]) =>
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        boxes.forEach((box, i) => {
          expect(box.left >= 0 && box.top >= 0 && box.right <= 500 && box.bottom <= 300).toBe(true);
          for (const other of boxes.slice(i + 1)) expect(apart(box, other)).toBe(true);
          for (const { x, y } of points) expect(apart(box, { left: x - 5, top: y - 5, right: x + 5, bottom: y + 5 })).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
  });
  it('a lone point has its label at its right; where there is no room, there is none', () => {
    expect(placeLabels([{ x: 100, y: 100, width: 50, height: 14 }], bounds)).toEqual([{ left: 110, top: 93, leader: false }]);
    expect(placeLabels([{ x: 100, y: 100, width: 900, height: 14 }], bounds)).toEqual([undefined]);
  });
});

describe('spread', () => {
  it('by hand: a pair moves apart about its middle, what is free stays', () => {
    expect(spread([10, 10, 50], 6, 0, 100)).toEqual([7, 13, 50]);
    expect(spread([0, 100], 10, 5, 95)).toEqual([5, 95]);
    expect(spread([], 10, 0, 100)).toEqual([]);
  });
  it('keeps order and distance', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 12 }), places => {
        const out = spread(places, 15, 0, 300);
        const order = [...places.keys()].sort((a, b) => places[a] - places[b]);
        for (let k = 1; k < order.length; k++) expect(out[order[k]] - out[order[k - 1]]).toBeGreaterThan(15 - 1e-6);
        for (const at of out) expect(at >= -1e-6 && at <= 300 + 1e-6).toBe(true);
      }),
    );
  });
});

describe('axes', () => {
  it('linear: ends, ticks, and a span of nothing', () => {
    const axis = linearAxis(0, 1, 100, 200, 4);
    expect([axis.at(0), axis.at(0.5), axis.at(1)]).toEqual([100, 150, 200]);
    expect(axis.ticks.map(t => t.text)).toEqual(['0.00', '0.25', '0.50', '0.75', '1.00']);
    expect(Number.isFinite(linearAxis(0, 0, 0, 10, 4).at(0))).toBe(true);
  });
  it('logarithmic: decades are even', () => {
    const axis = logAxis(0.001, 10, 0, 400, String);
    expect(axis.at(0.01)).toBeCloseTo(100, 9);
    expect(axis.at(1)).toBeCloseTo(300, 9);
    expect(axis.ticks.map(t => t.value).filter(v => [0.001, 0.01, 0.1, 1, 10].includes(v))).toHaveLength(5);
  });
});

describe('what charts pick out', () => {
  it('the front: beaten by none in both', () => {
    const points = [
      { seconds: 1, value: 0.5 },
      { seconds: 2, value: 0.4 },
      { seconds: 3, value: 0.9 },
      { seconds: 0.5, value: 0.1 },
    ];
    expect(front(points, 1).map(p => p.seconds)).toEqual([0.5, 1, 3]);
    expect(front(points, -1).map(p => p.seconds)).toEqual([0.5]);
  });
  it('curves: reference first, then the largest gains, one control', () => {
    const curves = (name: string, family: 'gradient' | 'control', level: number) => ({
      method: { name, title: name, family, options: {} },
      insertion: { mean: [0, level, 1] },
      deletion: { mean: [1, 1 - level, 0] },
    });
    const all = [0.1, 0.9, 0.5, 0.6, 0.7, 0.8].map((level, i) => curves(`g${i}`, 'gradient', level));
    const controls = [curves('random', 'control', 0.5), curves('uniform', 'control', 0.4)];
    expect(highlighted([...all, ...controls], 'g0').map(c => c.method.name)).toEqual(['g0', 'g1', 'g5', 'g4', 'g3', 'random']);
    expect(areaUnder({ mean: [0, 1] })).toBe(0.5);
    expect(areaUnder({ mean: [0, 1, 1] })).toBe(0.75);
  });
});
