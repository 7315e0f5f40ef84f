import { describe, expect, it } from 'vitest';
import { equalNumbers } from './equal-numbers.ts';

describe('rows of numbers', () => {
  it.each([
    [Float32Array.of(1, Number.NaN, -0), Float32Array.of(1, Number.NaN, -0)],
    [new Uint8Array(3), new Uint8Array(3)],
    [
      [1, 2],
      [1, 2],
    ],
    [[], []],
  ])('%o is %o', (a, b) => expect(equalNumbers(a, b)).toBe(true));

  it.each<[unknown, unknown]>([
    [Float32Array.of(1, 2), Float32Array.of(1, 3)],
    [Float32Array.of(1, 2), Float32Array.of(2, 1)],
    [Float32Array.of(1, 2), Float32Array.of(1, 2, 0)],
    [Float32Array.of(0), Float32Array.of(-0)],
    [Float32Array.of(0), Float32Array.of(Number.NaN)],
    [Float32Array.of(1), Float64Array.of(1)],
    [Float32Array.of(1), [1]],
    [Buffer.from([1]), Uint8Array.of(1)],
    [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(1))],
    [BigInt64Array.of(1n), BigInt64Array.of(2n)],
    [[1], ['1']],
    [
      [1, [2]],
      [1, [2]],
    ],
    [{ length: 0 }, { length: 0 }],
    [1, 1],
  ])('%o and %o are not decided', (a, b) => expect(equalNumbers(a, b)).toBe(false));

  it('that differ fail every comparison, however deep they stand', () => {
    const [a, b] = [{ maps: [{ data: new Float32Array(1000) }] }, { maps: [{ data: new Float32Array(1000) }] }];
    expect(a).toEqual(b);
    b.maps[0].data[999] = 1e-30;
    expect(() => expect(a).toEqual(b)).toThrow();
    expect(() => expect(a).toStrictEqual(b)).toThrow();
    expect(() => expect(a).toMatchObject(b)).toThrow();
    expect(a).not.toEqual(b);
    expect(() => expect([1, 2, 3]).toEqual([1, 2, 4])).toThrow();
  });
});
