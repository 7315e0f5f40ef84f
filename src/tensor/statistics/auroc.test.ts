import { expect, it } from 'vitest';
import { auroc } from './auroc.ts';

it('is the share of pairs of a positive and a negative that the score orders rightly, ties as half', () => {
  expect(auroc([0.9, 0.8, 0.3, 0.1], [true, true, false, false])).toBe(1);
  expect(auroc([0.9, 0.8, 0.3, 0.1], [false, false, true, true])).toBe(0);
  // Pairs: .9 > .5, .9 > .2, .5 = .5, .5 > .2; and .1 below both.
  expect(auroc([0.9, 0.5, 0.1, 0.5, 0.2], [true, true, true, false, false])).toBeCloseTo(3.5 / 6, 12);
  expect(auroc([1, 1, 1], [true, false, true])).toBe(0.5);
  // Only the order counts.
  expect(auroc([-1, -10, -2], [true, false, false])).toBe(auroc([0.9, 0.1, 0.8], [true, false, false]));
});

it('is not defined for one class, or for a score that is none', () => {
  expect(auroc([1, 2], [true, true])).toBeNaN();
  expect(auroc([1, 2], [false, false])).toBeNaN();
  expect(auroc([], [])).toBeNaN();
  expect(auroc([1, Number.NaN, 3], [true, false, false])).toBeNaN();
  expect(() => auroc([1], [])).toThrow('1 scores but 0 classes');
});
