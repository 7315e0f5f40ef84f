import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DualEncoder } from '../models/dual-encoder.ts';
import { loadModel } from '../models/pretrained.ts';
import { figureSvg } from '../report/attribution/bound.ts';
import { attributionFromJson, attributionToJson } from '../report/attribution/json.ts';
import { NarrowsError } from '../system/errors.ts';
import { FAMILIES } from './method.ts';
import { AUTO_METHOD, createMethod, findMethod, methods } from './registry.ts';
import { drawImage, PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

/** Small budgets, so that every method takes milliseconds. */
const BUDGET: Readonly<Record<string, number>> = { samples: 64, nSamples: 4, nSteps: 4, steps: 3, imageMasks: 32, textMasks: 16 };
const small = (schema: { shape: object }): Record<string, unknown> =>
  Object.fromEntries(Object.entries(BUDGET).filter(([key]) => key in schema.shape));

let clip: Awaited<ReturnType<typeof tinyPairModel>>;
let siglip: DualEncoder;
beforeAll(async () => {
  clip = await tinyPairModel();
  siglip = await loadModel(fileURLToPath(new URL('../models/siglip/testdata/siglip-tiny-b', import.meta.url)));
});
afterAll(async () => {
  await clip.release();
  await clip.remove();
  await siglip.release();
});

/** What this family of models cannot be asked, and the sentence. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'siglip clip-surgery': /pool|attention|class token/i,
};

describe.each(['clip', 'siglip'] as const)('every method on a tiny %s', name => {
  it.each(methods.map(m => m.name))('%s', async method => {
    const model = name === 'clip' ? clip : siglip;
    const entry = findMethod(method)!;
    const pair = name === 'clip' ? PAIRS[1] : { image: drawImage(3, 40), text: 'a red cat' };
    if (entry.serves === 'question') {
      expect(() => createMethod(entry, model, small(entry.schema))).toThrow(/is for a LLaVA with a bottleneck/);
      return;
    }
    await using made = createMethod(entry, model, small(entry.schema));
    const refused = REFUSED[`${name} ${method}`];
    if (refused) {
      const error = await made.attribute(pair).catch(e => e);
      expect(error).toBeInstanceOf(NarrowsError);
      expect(error.message).toMatch(refused);
      return;
    }
    const result = await made.attribute(pair, { seed: 1 });
    expect([result.method, result.title, result.unit]).toEqual([method, entry.title, entry.unit]);
    for (const modality of entry.modalities) {
      const values = modality === 'image' ? result.image?.patches : result.text?.words.map(w => w.value);
      if (!values) expect(entry.unsupported?.(model, modality, made.options)).toBeTruthy();
      else {
        expect(values.length).toBeGreaterThan(1);
        expect(Array.from(values).every(Number.isFinite), modality).toBe(true);
        if (!entry.signed) expect(Math.min(...values), `${modality} is not signed`).toBeGreaterThanOrEqual(0);
      }
    }
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
    expect(await figureSvg(result, pair.image)).toContain(entry.title);
    // The same seed gives the same map.
    const again = await made.attribute(pair, { seed: 1 });
    expect(again.image?.tokens).toEqual(result.image?.tokens);
  });
});

describe('the table', () => {
  it('has every family, and a recommended method that serves both sides', () => {
    // Maps made elsewhere are read, not computed.
    for (const family of FAMILIES)
      expect(
        methods.some(m => m.family === family),
        family,
      ).toBe(family !== 'external');
    expect(findMethod('auto')?.name).toBe(AUTO_METHOD);
    expect(findMethod('auto')?.modalities).toEqual(['image', 'text']);
    expect(findMethod('no-such-method')).toBeUndefined();
  });
});
