/** @file Comparing arrays of numbers in tests: `expectClose`, in the sense of numpy.allclose. */
import { expect } from 'vitest';

/** `|actual − expected| ≤ atol + rtol·|expected|` for every element; two NaN, or two equal infinities, are close. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
  /** What is compared, for the message. */
  readonly label?: string;
}

type Numbers = ArrayLike<number | bigint>;

/** Asserts that two arrays have the same length and close elements. The message names the worst element. */
export function expectClose(actual: Numbers, expected: Numbers, { rtol = 1e-5, atol = 1e-8, label = 'arrays' }: Tolerance = {}): void {
  expect(actual.length, `${label}: number of elements`).toBe(expected.length);
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [Number(actual[i]), Number(expected[i])];
    if (Object.is(a, e) || a === e) continue;
    const over = Math.abs(a - e) / (atol + rtol * Math.abs(e));
    if (!(over <= 1) && !(over <= excess)) {
      worst = i;
      excess = Number.isNaN(over) ? Number.POSITIVE_INFINITY : over;
    }
  }
  if (worst >= 0)
    expect.fail(
      `${label}: element ${worst} is ${actual[worst]}, expected ${expected[worst]} (rtol ${rtol}, atol ${atol}: ${excess.toPrecision(3)} times too far).`,
    );
}
