import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactJson, parseExact } from './exact-json.ts';

describe('exact JSON', () => {
  it.each([
    '{"id":9007199254740993,"n":-123456789012345678901}',
    '[1,9007199254740992,0.1]',
    '{"a":"9007199254740993","b":[12345678901234567890]}',
  ])('comes back as it was written: %s', text => {
    expect(exactJson(parseExact(text))).toBe(text);
  });

  it('comes back whatever it is; numbers that fit and fractions are numbers', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value);
        expect(exactJson(parseExact(text))).toBe(text);
      }),
    );
    const fractions = '[9007199254740991, 12345678901234567.5, 1234567890123456789e3, "x\\"1234567890123456789"]';
    expect(parseExact(fractions)).toEqual(JSON.parse(fractions));
    expect(() => parseExact('{"a": 12345678901234567890,}')).toThrow(SyntaxError);
  });
});
