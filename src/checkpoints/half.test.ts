import { describe, expect, it } from 'vitest';
import { bfloatToFloat, halfToFloat } from '../tensor/dtype.ts';
import { bfloatsToFloats, floatsToBfloats, floatsToHalves, halvesToFloats } from './half.ts';

const codes = Uint16Array.from({ length: 65536 }, (_, i) => i);
const next = (x: number, by: number): number => {
  const bits = new Int32Array([0]);
  const value = new Float32Array(bits.buffer);
  value[0] = x;
  bits[0] += by;
  return value[0];
};

describe.each([
  { name: 'float16', toFloats: halvesToFloats, fromFloats: floatsToHalves, one: halfToFloat, last: 0x7bff, max: 65504, over: 65520 },
  {
    name: 'bfloat16',
    toFloats: bfloatsToFloats,
    fromFloats: floatsToBfloats,
    one: bfloatToFloat,
    last: 0x7f7f,
    max: 3.3895313892515355e38,
    over: Number.POSITIVE_INFINITY,
  },
])('$name', ({ toFloats, fromFloats, one, last, max, over }) => {
  const all = toFloats(codes);

  it('equals the scalar conversion for all 65 536 codes', () => {
    for (let code = 0; code < 65536; code++) if (!Object.is(all[code], one(code))) expect.fail(`${code}: ${all[code]}`);
  });

  it('returns every code from its float, NaN payloads included', () => expect(fromFloats(all)).toEqual(codes));

  it('rounds to nearest, ties to even, between every two neighbours', () => {
    const inputs: number[] = [];
    const expected: number[] = [];
    for (let code = 0; code < last; code++) {
      // Midpoints are representable: float32 has more mantissa bits than either type.
      const middle = (all[code] + all[code + 1]) / 2;
      if (Math.fround(middle) !== middle) continue;
      const even = code % 2 ? code + 1 : code;
      for (const sign of [1, -1]) {
        const flag = sign < 0 ? 0x8000 : 0;
        inputs.push(sign * next(middle, -1), sign * middle, sign * next(middle, 1));
        expected.push(code | flag, even | flag, (code + 1) | flag);
      }
    }
    expect(inputs.length).toBeGreaterThan(180_000);
    expect(fromFloats(Float32Array.from(inputs))).toEqual(Uint16Array.from(expected));
  });

  it('goes to infinity only beyond its largest number, and keeps a NaN a NaN', () => {
    expect(all[last]).toBe(max);
    const edge = Float32Array.of(max, over, -over, Number.NaN);
    const bits = new Uint32Array([0x7f800001]);
    const [a, b, c, d] = toFloats(fromFloats(edge));
    expect([a, b, c, d]).toEqual([max, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
    expect(toFloats(fromFloats(new Float32Array(bits.buffer)))[0]).toBeNaN();
  });
});
