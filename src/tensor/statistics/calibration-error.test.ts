import { describe, expect, it } from 'vitest';
import { calibrationError } from './calibration-error.ts';

describe('the calibration error', () => {
  it('is the distance of probability and share of right answers, bin by bin', () => {
    expect(calibrationError([0.8, 0.8, 0.8, 0.8, 0.8], [true, true, true, true, false])).toBeCloseTo(0, 12);
    expect(calibrationError([1, 1, 1, 1], [true, false, false, true])).toBe(0.5);
    expect(calibrationError([0, 0], [true, true])).toBe(1);
    // Two bins: |1/2 − .2| of two answers, |1 − .9| of one; the sides do not cancel.
    expect(calibrationError([0.2, 0.2, 0.9], [true, false, true], { bins: 2 })).toBeCloseTo((0.6 + 0.1) / 3, 12);
    expect(calibrationError([0.4, 0.6], [true, false], { bins: 2 })).toBeCloseTo(0.6, 12);
    expect(calibrationError([0.4, 0.6], [true, false], { bins: 1 })).toBeCloseTo(0, 12);
  });

  it('has 15 bins of equal width that hold their upper end', () => {
    const [low, high] = [1 / 15 - 0.01, 1 / 15 + 0.01];
    // Two sides of the first edge do not cancel, within one bin they do.
    expect(calibrationError([low, high], [true, false])).toBeCloseTo((1 - low + high) / 2, 12);
    expect(calibrationError([high, high + 0.02], [true, false])).toBeCloseTo((1 - 2 * high - 0.02) / 2, 12);
    // .5 is of the lower of two bins: with .4 it makes up one.
    expect(calibrationError([0.5, 0.4], [true, false], { bins: 2 })).toBeCloseTo(0.05, 12);
    expect(calibrationError([0.5, 0.6], [true, false], { bins: 2 })).toBeCloseTo((0.5 + 0.6) / 2, 12);
  });

  it('can have as many answers in each bin, equal probabilities together', () => {
    const options = { bins: 2, binning: 'equal-mass' } as const;
    // Bins {.6, .7} and {.8, .9}, whatever the order that they come in.
    expect(calibrationError([0.9, 0.6, 0.8, 0.7], [true, false, true, true], options)).toBeCloseTo((0.3 + 0.3) / 4, 12);
    expect(calibrationError([0.9, 0.6, 0.8, 0.7], [true, false, true, true], { bins: 2 })).toBeCloseTo(0, 12);
    // Four equal ones are one bin: 2 of 4 right is what they say.
    expect(calibrationError([0.5, 0.5, 0.5, 0.5], [true, true, false, false], options)).toBe(0);
  });

  it('refuses what is no probability, and is not defined without answers', () => {
    expect(calibrationError([], [])).toBeNaN();
    expect(calibrationError([Number.NaN], [true])).toBeNaN();
    expect(() => calibrationError([1.1], [true])).toThrow('between 0 and 1; got 1.1');
    expect(() => calibrationError([0.1], [])).toThrow('1 probabilities but 0 answers');
    expect(() => calibrationError([0.1], [true], { bins: 0 })).toThrow('positive whole number; got 0');
  });
});
