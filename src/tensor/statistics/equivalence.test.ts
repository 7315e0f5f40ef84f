import { describe, expect, it } from 'vitest';
import { equivalence, twoSidedP } from './equivalence.ts';

/** Student's t with one degree of freedom is Cauchy's distribution. */
const cauchy = (t: number): number => 0.5 + Math.atan(t) / Math.PI;
/** With two: 1/2 + t / (2 √(2 + t²)). */
const two = (t: number): number => 0.5 + t / (2 * Math.sqrt(2 + t * t));

describe('two one-sided tests', () => {
  it('take the side that is nearer to the margin, in the closed forms of one and two degrees of freedom', () => {
    // The sides lie 3 and 1 standard errors from the effect.
    for (const estimate of [1, -1]) {
      const effect = { estimate, standardError: 1 };
      expect(equivalence(effect, 2, { degreesOfFreedom: 1 }).pValue).toBeCloseTo(cauchy(-1), 12);
      expect(equivalence(effect, 2, { degreesOfFreedom: 2 }).pValue).toBeCloseTo(two(-1), 12);
    }
    expect(equivalence({ estimate: 3, standardError: 0.5 }, 2, { degreesOfFreedom: 1 }).pValue).toBeCloseTo(cauchy(2), 12);
    // Just on the margin nothing is shown, whatever the error.
    expect(equivalence({ estimate: 2, standardError: 0.1 }, 2, { degreesOfFreedom: 7 }).pValue).toBeCloseTo(0.5, 12);
  });

  it('by the normal distribution without degrees of freedom: 1.959964 errors from the margin are 0.025', () => {
    expect(equivalence({ estimate: 0, standardError: 1 }, 1.959963984540054).pValue).toBeCloseTo(0.025, 10);
    expect(equivalence({ estimate: 0, standardError: 1 }, 1).high).toBeCloseTo(1.6448536, 5);
  });

  it('agree with the interval: within the margin just where p is below the level', () => {
    for (const degreesOfFreedom of [1, 2, 7, 39, Number.POSITIVE_INFINITY])
      for (const level of [0.01, 0.05])
        for (const estimate of [-0.8, -0.2, 0, 0.3, 0.7])
          for (const standardError of [0.02, 0.1, 0.3, 1]) {
            const { pValue, low, high } = equivalence({ estimate, standardError }, 1, { degreesOfFreedom, level });
            expect(pValue < level, `${degreesOfFreedom} ${level} ${estimate} ${standardError}`).toBe(low > -1 && high < 1);
            expect((low + high) / 2).toBeCloseTo(estimate, 12);
          }
  });

  it('say what there is to say without spread, and nothing without freedom', () => {
    expect(equivalence({ estimate: 0.4, standardError: 0 }, 0.5)).toEqual({ pValue: 0, low: 0.4, high: 0.4 });
    expect(equivalence({ estimate: -0.5, standardError: 0 }, 0.5).pValue).toBe(1);
    expect(equivalence({ estimate: 0, standardError: 1 }, 0.5, { degreesOfFreedom: 0 }).pValue).toBeNaN();
    expect(equivalence({ estimate: 0, standardError: Number.NaN }, 0.5).pValue).toBeNaN();
    expect(() => equivalence({ estimate: 0, standardError: 1 }, 0)).toThrow('smallest effect of interest is above 0; got 0');
    expect(() => equivalence({ estimate: 0, standardError: 1 }, 1, { level: 0.5 })).toThrow('between 0 and 0.5');
  });
});

it('the two-sided p is that of Cauchy with one degree of freedom, and of the normal without', () => {
  expect(twoSidedP({ estimate: -2, standardError: 2 }, 1)).toBeCloseTo(0.5, 12);
  expect(twoSidedP({ estimate: 1.959963984540054, standardError: 1 })).toBeCloseTo(0.05, 10);
  expect(twoSidedP({ estimate: 0, standardError: 0 }, 4)).toBe(1);
  expect(twoSidedP({ estimate: 0.1, standardError: 0 }, 4)).toBe(0);
  expect(twoSidedP({ estimate: 1, standardError: 1 }, 0)).toBeNaN();
});
