import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digitsFor, displayScale, formatValue, niceTicks, outlierThreshold, positionOf, strengthOf } from './normalise.ts';

describe('displayScale', () => {
  test('a map of less than a bit in all is not painted hot: a tenth of a bit gets a tenth of the scale', () => {
    const bit = Math.LN2;
    const faint = displayScale([0.06 * bit, 0.04 * bit], 'nats');
    expect(positionOf(faint, 0.06 * bit)).toBeCloseTo(0.1, 12);
    expect(positionOf(displayScale([0.6 * bit, 0.5 * bit], 'nats'), 0.6 * bit)).toBe(1);
    // Scores have no bits, and a scale that was asked for stays.
    expect(positionOf(displayScale([0.06, 0.04], 'score'), 0.06)).toBe(1);
    expect(displayScale([0.06 * bit], 'nats', { high: 2 }).high).toBe(2);
  });
  test('negligible negatives do not make a bar of two sides', () => {
    const one = displayScale([1, 0.4, -0.015], 'score');
    expect([one.signed, one.low, positionOf(one, -0.015)]).toEqual([false, 0, 0]);
    expect(displayScale([1, 0.4, -0.03], 'score').signed).toBe(true);
  });
  test('runs from zero to the largest value and labels bits as bits', () => {
    const scale = displayScale([0.1, 0.5, 2], 'nats', { unit: 'bits' });
    expect([scale.low, scale.high, scale.signed, scale.clipped]).toEqual([0, 2, false, false]);
    expect(scale.ticks.map(tick => tick.label)).toEqual(['0', '1', '2']);
    // 1 bit = ln 2 nats stands at ln 2 / 2 of a bar that ends at 2 nats.
    expect(scale.ticks[1].position).toBeCloseTo(Math.LN2 / 2, 12);
  });
  test('is symmetric about zero for signed scores', () => {
    const scale = displayScale([-3, 0, 1], 'score');
    expect([scale.low, scale.high, scale.signed]).toEqual([-3, 3, true]);
    expect([positionOf(scale, -3), positionOf(scale, 0), positionOf(scale, 1.5)]).toEqual([0, 0.5, 0.75]);
    expect(strengthOf(scale, -1.5)).toBe(0.5);
    expect(scale.ticks.map(tick => tick.label)).toEqual(['−2', '0', '2']);
  });
  test('a map of zeros stays at the bottom, an empty one too', () => {
    for (const values of [[0, 0], []]) {
      const scale = displayScale(values, 'nats');
      expect(positionOf(scale, 0)).toBe(0);
      expect(scale.ticks).toHaveLength(1);
    }
  });
  test('clips by share of mass as Captum does, and says so', () => {
    // Sorted 1..10 sums to 55; 98 % is 53.9, reached by the last; 80 % is 44, reached when 9 is added (45).
    const values = [10, 1, 9, 2, 8, 3, 7, 4, 6, 5];
    expect(outlierThreshold(values, 2)).toBe(10);
    expect(outlierThreshold(values, 20)).toBe(9);
    const scale = displayScale(values, 'nats', { outlierPercent: 20 });
    expect([scale.high, scale.clipped]).toEqual([9, true]);
    expect(positionOf(scale, 10)).toBe(1);
  });
  test('refuses what cannot be drawn', () => {
    expect(() => displayScale([1, Number.NaN], 'nats')).toThrow(/NaN at position 1/);
    expect(() => displayScale([1], 'score', { unit: 'bits' })).toThrow(/'score' cannot be shown in 'bits'/);
    expect(() => displayScale([1], 'nats', { outlierPercent: 100 })).toThrow(/between 0 and 100/);
  });
});

test('ticks are few, round, in order and inside', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), high => {
      const { values } = niceTicks(0, high, 4);
      expect(values.length).toBeGreaterThanOrEqual(2);
      expect(values.length).toBeLessThanOrEqual(6);
      expect(values[0]).toBe(0);
      expect(values.at(-1)).toBeLessThanOrEqual(high * (1 + 1e-6));
    }),
  );
  expect(niceTicks(0, 0.87, 4)).toEqual({ values: [0, 0.25, 0.5, 0.75], digits: 2 });
});

test('a tick has the digits of its value, at every power of ten', () => {
  for (const power of [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]) {
    const { values, digits } = niceTicks(0, 10 * power, 4);
    expect(values.map(v => Number((v / power).toPrecision(6)))).toEqual([0, 2.5, 5, 7.5, 10]);
    for (const value of values) expect(Number(value.toFixed(digits)) / power).toBeCloseTo(value / power, 6);
  }
});

test('numbers are printed as a person would', () => {
  expect([1.42, 0.05, 12.34, 1234].map(v => formatValue(v, digitsFor(v)))).toEqual(['1.42', '0.050', '12.3', '1234']);
  expect([formatValue(-0.5, 1), formatValue(-0.001, 1), formatValue(2.5e-7, 6), formatValue(Number.NaN)]).toEqual([
    '−0.5',
    '0.0',
    '2.5e−7',
    '–',
  ]);
});
