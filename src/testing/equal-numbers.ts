/** @file Rows of numbers, compared in one go: vitest looks at each element as at an object, which takes seconds for a picture. */

const isTyped = (value: unknown): value is Float64Array =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array) && !(value instanceof BigUint64Array);

/** Whether both are arrays of one type that hold the same numbers, where NaN is itself and 0 is not −0 (as in `toEqual`). */
export function equalNumbers(a: unknown, b: unknown): boolean {
  const rows =
    (Array.isArray(a) && Array.isArray(b)) || (isTyped(a) && isTyped(b) && Object.getPrototypeOf(a) === Object.getPrototypeOf(b));
  if (!rows) return false;
  const [one, other] = [a as ArrayLike<unknown>, b as ArrayLike<unknown>];
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (typeof one[i] !== 'number' || !Object.is(one[i], other[i])) return false;
  return true;
}
