import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { cosine, type EncodedPairs, encodePairs } from '../pair.ts';
import { row } from '../rows.ts';
import { LAYERS, PAIRS, tinyPairModel } from '../testing/tiny-pairs.ts';
import { areaUnder } from './ranking.ts';
import { removalCurves } from './removal.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
let encoded: EncodedPairs;
let pixels: FloatTensor;
let target: Float32Array;
beforeAll(async () => {
  model = await tinyPairModel();
  encoded = await encodePairs(model, PAIRS, LAYERS);
  pixels = floats([3, 32, 32], row(encoded.image.inputs.pixel_values as FloatTensor, 0));
  target = row(encoded.text.features, 0);
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const grid = [4, 4] as const;
const ranking = Float32Array.from({ length: 16 }, (_, i) => (i * 7) % 16);

/** Cosine of the image with only the patches that `keep` wants. */
async function cosineOf(keep: (patch: number) => boolean): Promise<number> {
  const data = pixels.data.map((v, i) => (keep(Math.floor((Math.floor(i / 32) % 32) / 8) * 4 + Math.floor((i % 32) / 8)) ? v : 0));
  return cosine((await model.imageFeatures(floats([1, 3, 32, 32], data))).data, target);
}

describe('removalCurves', () => {
  it('run between the whole image and the mean colour, in opposite directions', async () => {
    const { deletion, insertion } = await removalCurves(model, pixels, grid, ranking, target);
    expect([deletion.length, insertion.length]).toEqual([9, 9]);
    const [whole, none] = [encoded.cosines[0], await cosineOf(() => false)];
    expect(deletion[0]).toBeCloseTo(whole, 5);
    expect(insertion[8]).toBeCloseTo(whole, 5);
    expect(deletion[8]).toBeCloseTo(none, 5);
    expect(insertion[0]).toBeCloseTo(none, 5);
    expect(Math.abs(whole - none)).toBeGreaterThan(1e-3);
  });

  it('take the best patches first', async () => {
    const { deletion, insertion } = await removalCurves(model, pixels, grid, ranking, target, 4);
    for (const k of [1, 2, 3]) {
      const best = (patch: number): boolean => ranking[patch] >= 16 - 4 * k;
      expect(insertion[k]).toBeCloseTo(await cosineOf(best), 5);
      expect(deletion[k]).toBeCloseTo(await cosineOf(patch => !best(patch)), 5);
    }
  });

  it('mirror each other when the ranking is turned round', async () => {
    const forth = await removalCurves(model, pixels, grid, ranking, target);
    const back = await removalCurves(
      model,
      pixels,
      grid,
      ranking.map(v => -v),
      target,
    );
    for (let k = 0; k <= 8; k++) expect(back.deletion[k]).toBeCloseTo(forth.insertion[8 - k], 5);
  });

  it('break ties by position, and do not look at the scale of the ranking', async () => {
    const tied = await removalCurves(model, pixels, grid, new Float32Array(16), target, 2);
    expect(tied.insertion[1]).toBeCloseTo(await cosineOf(patch => patch < 8), 5);
    const scaled = await removalCurves(
      model,
      pixels,
      grid,
      ranking.map(v => v * 9 - 3),
      target,
      2,
    );
    expect(scaled).toEqual(await removalCurves(model, pixels, grid, ranking, target, 2));
  });
});

describe('areaUnder', () => {
  it('is that of the trapezoids over [0, 1]', () => {
    expect(areaUnder([1, 1, 1])).toBe(1);
    expect(areaUnder([0, 1])).toBe(0.5);
    expect(areaUnder([1, 0.5, 0])).toBe(0.5);
    expect(areaUnder([0, 1, 0])).toBe(0.5);
    expect(areaUnder([0, 0, 1, 1, 1])).toBeCloseTo(0.625, 12);
  });
});
