/** @file EMI, EMID and its bound against the published code, and what must hold of them. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { correlate } from '../../tensor/statistics/pearson-interval.ts';
import { mutualInformation } from './club-estimator.ts';
import { joiningFor, jointEmbedding } from './embedding.ts';
import { type EmbeddedSet, type Emi, emidBound, emidDivergences, emidOf, emiOf, unitSet } from './emid.ts';
import { goldenClub, goldenSet, goldenValues } from './testing/golden.ts';

const runtime = nodeRuntime({ threads: 1 });
const estimator = goldenClub('after300');
const embedded = (name: string): EmbeddedSet => {
  const { visual, text, y, yHat } = goldenSet(name);
  return { visual, text, answer: yHat, reference: y };
};
const emi = async (name: string): Promise<Emi> => {
  const { z, y, yHat } = goldenSet(name);
  return emiOf(await mutualInformation(runtime, estimator, z, yHat), await mutualInformation(runtime, estimator, z, y));
};
const source = embedded('source');
const sourceEmi = await emi('source');

/** The real part, where float rounding made the published bound complex. */
const real = (value: number | string): number => (typeof value === 'number' ? value : Number(/[\d.]+/.exec(value)![0]));

describe.each(Object.keys(goldenValues.sets))('set "%s" equals the published code', name => {
  const golden = goldenValues.sets[name];

  it('EMI and EMID', async () => {
    const got = await emi(name);
    expect(got.emi).toBeCloseTo(golden.float64.emi, 7);
    if (golden.emid_float64 !== undefined) expect(emidOf(sourceEmi, got)).toBeCloseTo(golden.emid_float64, 7);
  });

  it('divergences and bound, by size as published and with equal weights', () => {
    if (golden.equal_weights_float64 === undefined) return;
    for (const [weights, wanted] of [
      ['size', golden.official_float64],
      ['equal', golden.equal_weights_float64],
    ] as const) {
      const got = emidDivergences(source, embedded(name), { weights });
      // Golden rows are of length 1 in float32; ours in double.
      expect(got.visual).toBeCloseTo(wanted.jsd_visual, 7);
      expect(got.text).toBeCloseTo(wanted.jsd_text, 7);
      expect(got.sourceOutput).toBeCloseTo(wanted.jsd_source_output, 7);
      expect(got.targetOutput).toBeCloseTo(wanted.jsd_target_output, 7);
      expect(emidBound(got)).toBeCloseTo(real(wanted.bound), 6);
      // The golden value is the float32 run's.
      if (weights === 'size') expect(emidBound(got, 3.5)).toBeCloseTo(real(golden['official_with_entropy_scaler_3.5']), 4);
      for (const value of Object.values(got)) expect(value).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('over shifts', () => {
  it("Pearson's r of EMID and its bound equals scipy", async () => {
    const { over, r, p } = goldenValues.pearson;
    const emids: number[] = [];
    for (const name of over) emids.push(emidOf(sourceEmi, await emi(name)));
    const bounds = over.map(name => emidBound(emidDivergences(source, embedded(name))));
    const got = correlate(emids, bounds);
    // Golden in float32.
    expect(got.r).toBeCloseTo(r, 5);
    expect(got.pValue).toBeCloseTo(p, 5);
    expect(got.low).toBeLessThan(r);
  });
});

describe('what must hold', () => {
  it('equal sets: EMID 0, no divergence of inputs, the output terms stay', async () => {
    expect(emidOf(sourceEmi, await emi('same'))).toBe(0);
    const got = emidDivergences(source, source);
    expect(got.visual).toBeLessThan(1e-12);
    expect(emidBound(got)).toBeGreaterThan(0.8);
  });

  it('unequal sizes count alike unless asked otherwise', () => {
    const doubled: EmbeddedSet = { ...source, visual: [...source.visual, ...source.visual] };
    const other = embedded('visual_1');
    const equal = emidDivergences(source, other).visual;
    expect(emidDivergences(doubled, other).visual).toBeCloseTo(equal, 12);
    expect(Math.abs(emidDivergences(doubled, other, { weights: 'size' }).visual - equal)).toBeGreaterThan(0.001);
  });

  it('an entropy factor weighs the inputs', () => {
    const divergences = { visual: 0.25, text: 0.16, sourceOutput: 0.0001, targetOutput: 0.0016 };
    expect(emidBound(divergences)).toBeCloseTo(0.5 + 0.4 + 0.1 + 0.2, 12);
    expect(emidBound(divergences, 2)).toBeCloseTo(2 * 0.9 + 4 * 0.3, 12);
    expect(() => emidBound(divergences, -1)).toThrow(/entropy factor/);
    expect(() => emidBound(divergences, Number.NaN)).toThrow(/entropy factor/);
  });
});

describe('joint embeddings', () => {
  it('are means of unit rows, or both side by side', () => {
    expect(jointEmbedding([[3, 4]], [[0, 2]])).toEqual([Float64Array.of(0.3, 0.9)]);
    const [joined] = jointEmbedding([[3, 4]], [[0, 0, 2]], 'concatenate');
    expect(Math.hypot(...joined)).toBeCloseTo(1, 14);
    expect(joined[4]).toBeCloseTo(Math.SQRT1_2, 14);
    expect([joiningFor(8, 8), joiningFor(8, 9)]).toEqual(['mean', 'concatenate']);
  });

  it('refuse what does not fit', () => {
    expect(() => jointEmbedding([[1]], [[1], [2]])).toThrow(/1 pictures but 2 questions/);
    expect(() => jointEmbedding([[1]], [[1, 2]])).toThrow(/concatenate them/);
    expect(() => unitSet({ ...source, answer: [[1]] })).toThrow(/40 rows of visual but 1 of answer/);
    expect(unitSet({ visual: [[2, 0]], text: [[0, 3]], answer: [[1, 0]], reference: [[1, 0]] }).text[0]).toEqual(Float64Array.of(0, 1));
  });
});
