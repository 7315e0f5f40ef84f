import { describe, expect, it } from 'vitest';
import { parseJson } from '../checkpoints/config.ts';
import { parseHeader } from '../checkpoints/safetensors-header.ts';
import { attributionFromJson } from '../report/attribution/json.ts';
import { parseExact } from './exact-json.ts';
import { isTooDeep, parsePlain } from './json-depth.ts';

const nested = (count: number, value = ''): string => '['.repeat(count) + value + ']'.repeat(count);

describe('JSON', () => {
  it('is too deep from 501 levels on, of lists or objects, closed or not', () => {
    expect([nested(500), nested(501), '['.repeat(501), `${'{"a":'.repeat(501)}1${'}'.repeat(501)}`].map(isTooDeep)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    // Wide is not deep, and brackets in texts are letters.
    expect([`[${'[1],'.repeat(2000)}0]`, JSON.stringify('['.repeat(900)), JSON.stringify(`"\\"${'{'.repeat(900)}`)].map(isTooDeep)).toEqual(
      [false, false, false],
    );
    expect(isTooDeep(`${JSON.stringify('\\')}${'['.repeat(501)}`)).toBe(true);
    expect(isTooDeep('"no end [[[')).toBe(false);
  });

  it('that is too deep is refused in a sentence wherever a file is read', () => {
    const deep = `{"model_type":${nested(100_000)}}`;
    const says = /is JSON of more than 500 lists and objects in one another/;
    expect(() => parseJson(deep, 'config.json')).toThrow(says);
    expect(() => parseJson('['.repeat(100_000), 'config.json')).toThrow(says);
    for (const parse of [parsePlain, parseExact]) expect(() => parse(deep)).toThrow(SyntaxError);
    expect(parsePlain('{"a":[1]}')).toEqual({ a: [1] });
    expect(() => attributionFromJson(deep, 'result.json')).toThrow(says);
    expect(() => parseHeader('model.safetensors', new TextEncoder().encode(deep), 0)).toThrow(says);
  });
});
