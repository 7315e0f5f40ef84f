import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { readingRecord } from '../../inputs/image/picture-warnings.ts';
import { attributionFromJson, attributionTensors, attributionToJson } from './json.ts';
import { exampleResult } from './testdata/example-result.ts';

const base = exampleResult({ caption: 'a cup', width: 60, height: 40, grid: [2, 3] });

describe('JSON', () => {
  test('gives every float32 back bit for bit, and every caption', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.array(float, { minLength: 6, maxLength: 6 }),
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (values, caption, cosine) => {
          const patches = Float32Array.from(values);
          const result = { ...base, caption, cosine, image: { ...base.image!, patches, tokens: Float32Array.from([1, ...values]) } };
          const back = attributionFromJson(attributionToJson(result));
          expect(Buffer.from(back.image!.patches.buffer).equals(Buffer.from(patches.buffer))).toBe(true);
          expect(back.caption).toBe(caption);
          expect(Object.is(back.cosine, cosine)).toBe(true);
        },
      ),
    );
  });
  test('keeps everything, optional parts too', () => {
    const stability = { seeds: [0, 1], standardDeviation: Float32Array.of(0.1, 0.2), rankStability: 0.93 };
    const result = { ...base, text: { ...base.text!, stability } };
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
    const { text: _, ...imageOnly } = base;
    expect(attributionFromJson(attributionToJson(imageOnly))).toEqual(imageOnly);
  });
  test('keeps how every kind of film was read, frame, table and tags', async () => {
    const folder = new URL('../../inputs/image/dicom/testdata/', import.meta.url);
    const seen = new Set<string>();
    for (const name of readdirSync(folder).filter(each => each.endsWith('.dcm'))) {
      const read = await decodeImage(fileURLToPath(new URL(name, folder)), {
        keepTags: ['0018,0015'],
        ...(name === 'frames.dcm' ? { frame: 2 } : {}),
      }).catch(() => undefined);
      if (!read) continue;
      const { reading } = readingRecord(read);
      for (const [key, value] of Object.entries({ ...reading!.dicom, rule: reading!.window?.rule }))
        if (value !== undefined) seen.add(key === 'rule' ? `rule ${value}` : key);
      const result = { ...base, provenance: { ...base.provenance, image: { ...base.provenance.image, reading } } };
      expect(attributionFromJson(attributionToJson(result)), name).toEqual(result);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['frame', 'view', 'sop', 'aspect', 'rule file', 'rule auto']));
  });
  test('keeps lists of numbers on one line', () => {
    expect(attributionToJson(base)).toMatch(/"grid": \[2, 3\],\n/);
    expect(attributionToJson(base)).toMatch(/"patches": \[[^\n]+\]/);
  });
  test('refuses NaN and says where', () => {
    const bad = { ...base, image: { ...base.image!, patches: Float32Array.of(1, 2, Number.NaN, 4, 5, 6) } };
    expect(() => attributionToJson(bad)).toThrow(/image\.patches\[2\] is not a finite number/);
    expect(() => attributionToJson({ ...base, parameters: { beta: Number.POSITIVE_INFINITY } })).toThrow(/parameters\.beta/);
  });
  test.each([
    ['no JSON', '{', /Cannot read map\.json: it is not JSON/],
    ['a newer file', '{"schemaVersion": 2}', /newer Narrows \(schemaVersion 2/],
    ['something else', '[]', /map\.json as an attribution: the whole: .*expected object/],
    [
      'a grid that does not fit',
      attributionToJson(base).replace('"grid": [2, 3]', '"grid": [3, 3]'),
      /image: patches do not fill the grid/,
    ],
    ['a value beyond float32', attributionToJson(base).replace(/"patches": \[[^,]+/, '"patches": [1e300'), /too large for float32/],
  ])('refuses %s in one sentence', (_, text, message) => {
    expect(() => attributionFromJson(text, 'map.json')).toThrow(message);
  });
});

test('tensors carry shapes and raw values', () => {
  const tensors = attributionTensors(base);
  expect(Object.fromEntries(Array.from(tensors, ([name, value]) => [name, value.shape]))).toEqual({
    'image.tokens': [7],
    'image.patches': [2, 3],
    'image.fit': [10],
    'image.compression': [10],
    'text.tokens': [4],
    'text.words': [2],
    'text.token_ids': [4],
    'text.token_offsets': [4, 2],
    'text.word_offsets': [2, 2],
    'text.fit': [10],
    'text.compression': [10],
  });
  expect(tensors.get('image.patches')?.data).toBe(base.image!.patches);
  expect(Array.from(tensors.get('text.word_offsets')!.data as Int32Array)).toEqual([0, 1, 2, 5]);
});
