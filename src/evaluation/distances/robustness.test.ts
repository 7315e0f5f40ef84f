/** @file Distances of representations against golden values and cases known by hand. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import { meanPairedCosineDistance, pairedCosineDistance } from './paired-cosine.ts';
import { representationJsd } from './rjsd.ts';

const golden = JSON.parse(await readFile(new URL('./testdata/rjsd.json', import.meta.url), 'utf8'));
const { X, Y, Z } = golden as Record<string, number[][]>;
const random = new RandomStream(0, 'test');
const normals = (rows: number, width: number, sample: number) =>
  Array.from({ length: rows }, (_, i) => random.normals(sample, i, new Float32Array(width)));

describe('representationJsd', () => {
  it('equals the golden values; unequal sets count the same', () => {
    expect(representationJsd(X, Y)).toBeCloseTo(golden.rjsd_XY, 12);
    expect(representationJsd(Y, X)).toBeCloseTo(golden.rjsd_XY, 12);
    expect(representationJsd(X, Z)).toBeCloseTo(golden.rjsd_XZ_equal_weight, 12);
    expect(representationJsd(X, Z, { weights: 'size' })).toBeCloseTo(golden.rjsd_XZ_official_unnormalised, 12);
    expect(Math.abs(representationJsd(X, Z) - golden.rjsd_XZ_official_unnormalised)).toBeGreaterThan(0.01);
  });

  it('is 0 for equal sets and ln 2 for orthogonal ones, and does not see lengths', () => {
    const same = representationJsd(X, X);
    expect(same).toBeGreaterThanOrEqual(0);
    expect(same).toBeLessThan(1e-12);
    expect(
      representationJsd(
        [
          [1, 0, 0, 0],
          [0, 2, 0, 0],
        ],
        [
          [0, 0, 3, 0],
          [0, 0, 0, 1],
        ],
      ),
    ).toBeCloseTo(Math.LN2, 12);
    expect(
      representationJsd(
        X.map(row => row.map(v => v * 7)),
        Y,
      ),
    ).toBeCloseTo(golden.rjsd_XY, 12);
  });

  it('is the same from the Gram matrix (few rows) as from the covariance (many)', () => {
    const a = normals(20, 24, 1);
    const b = normals(20, 24, 2);
    const doubled = representationJsd([...a, ...a], [...b, ...b]);
    expect(representationJsd(a, b)).toBeCloseTo(doubled, 12);
  });

  it('takes 300 representations of 192 features', () => {
    expect(representationJsd(normals(300, 192, 3), normals(300, 192, 4))).toBeLessThan(Math.LN2);
  });

  it('refuses empty, ragged and broken sets', () => {
    expect(() => representationJsd([], X)).toThrow(/one side has none/);
    expect(() => representationJsd([], [])).toThrow(/there are none/);
    expect(() => representationJsd([[1, 2]], [[1]])).toThrow(/Representation 1 has 1 values, the first has 2/);
    expect(() => representationJsd([[1, Number.NaN]], [[1, 2]])).toThrow(/not finite/);
  });
});

describe('paired cosine distance', () => {
  it('is 1 - cos', () => {
    const got = pairedCosineDistance(
      [
        [1, 0],
        [1, 0],
        [2, 0],
        [1, 1],
        [0, 0],
      ],
      [
        [3, 0],
        [0, 5],
        [-1, 0],
        [1, 0],
        [1, 0],
      ],
    );
    expect(got[4]).toBeNaN();
    [0, 1, 2, 1 - Math.SQRT1_2].forEach((v, i) => void expect(got[i]).toBeCloseTo(v, 14));
  });

  it('keeps its digits for nearly equal rows', () => {
    const angle = 1e-7;
    expect(pairedCosineDistance([[1, 0]], [[Math.cos(angle), Math.sin(angle)]])[0] / (angle ** 2 / 2)).toBeCloseTo(1, 6);
  });

  it('has an interval that holds the mean and narrows with more pairs', () => {
    const width = (n: number) => {
      const { estimate, low, high } = meanPairedCosineDistance(normals(n, 8, 5), normals(n, 8, 6), { random, resamples: 500 });
      expect(low).toBeLessThan(estimate);
      expect(high).toBeGreaterThan(estimate);
      return high - low;
    };
    expect(width(160)).toBeLessThan(width(20));
  });

  it('refuses unequal sets', () => {
    expect(() => pairedCosineDistance([[1]], [])).toThrow(/got 1 and 0/);
  });
});
