import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import { compareTensors } from './compare.ts';
import { parseTolerance, resolveTolerances, TOLERANCES } from './tolerance.ts';

const x = (...values: number[]) => floats([values.length], values);

describe('compareTensors', () => {
  it('takes errors relative to the largest entry of the reference', () => {
    const row = compareTensors('y', 'forward', x(1, 100.5, 0), x(1, 100, 0), { tolerance: 0.01 });
    expect(row).toMatchObject({ ok: true, absoluteError: 0.5, relativeError: 0.005, measure: 'relative', shape: [3] });
    expect(compareTensors('y', 'forward', x(1, 100.5, 0), x(1, 100, 0), { tolerance: 0.001 }).ok).toBe(false);
    // Of the reference, not of what is compared with it.
    expect(compareTensors('y', 'forward', x(1000), x(1), { tolerance: 1 }).relativeError).toBe(999);
  });

  it('takes names of things as equal or not, however wide the tolerance', () => {
    expect(compareTensors('ids', 'forward', x(150000, 7), x(150000, 7), { tolerance: 1e-5, exact: true })).toMatchObject({ ok: true });
    // One part in 150 000: within 1e-5 of the largest entry, and another token all the same.
    const row = compareTensors('ids', 'forward', x(150000, 8), x(150000, 7), { tolerance: 0.5, exact: true });
    expect(row).toMatchObject({ ok: false, measure: 'absolute', tolerance: 0, absoluteError: 1 });
  });

  it('takes the error of a gate as it is', () => {
    const row = compareTensors('alpha', 'gate', x(10.5), x(10), { tolerance: 0.1 });
    expect([row.measure, row.ok, row.relativeError]).toEqual(['absolute', false, 0.05]);
  });

  it('measures against a floor where that is larger, and against one where the reference is zero', () => {
    expect(compareTensors('g', 'gradient', x(2), x(1), { tolerance: 0.1, scaleFloor: 10 })).toMatchObject({ ok: true, relativeError: 0.1 });
    expect(compareTensors('g', 'gradient', x(2), x(1), { tolerance: 0.1, scaleFloor: 0.5 }).relativeError).toBe(1);
    expect(compareTensors('g', 'gradient', x(0.5), x(0), { tolerance: 0.1 })).toMatchObject({ ok: false, relativeError: 0.5 });
  });

  it('grants the rounding of the reference entry by entry, and says so', () => {
    const rounding = Float32Array.of(0, 0.3, 0);
    expect(compareTensors('kl', 'gate', x(1, 2.2, 3), x(1, 2, 3), { tolerance: 0.1, rounding })).toMatchObject({
      ok: true,
      note: "1 of 3 agree only within the reference's own rounding",
    });
    expect(compareTensors('kl', 'gate', x(1.2, 2, 3), x(1, 2, 3), { tolerance: 0.1, rounding }).ok).toBe(false);
    expect(compareTensors('kl', 'gate', x(1, 2.5, 3), x(1, 2, 3), { tolerance: 0.1, rounding }).note).toMatch(/1 of 3 beyond; at \[1\]/);
    expect(compareTensors('kl', 'gate', x(1, 2.05, 3), x(1, 2, 3), { tolerance: 0.1, rounding }).note).toBeUndefined();
  });

  it.each([
    [Number.NaN, 1],
    [1, Number.NaN],
    [Number.NaN, Number.NaN],
    [Number.POSITIVE_INFINITY, 1],
    [1, Number.NEGATIVE_INFINITY],
  ])('%s against %s departs', (ours, reference) => {
    const row = compareTensors('y', 'forward', x(2, ours), x(2, reference), { tolerance: 1e-5 });
    expect([row.ok, row.absoluteError]).toEqual([false, Number.POSITIVE_INFINITY]);
    expect(row.note).toContain('at [1]');
  });

  it('is content with an empty tensor', () => {
    expect(compareTensors('y', 'forward', floats([0, 3], []), floats([0, 3], []), { tolerance: 1e-5 })).toMatchObject({ ok: true });
  });
});

describe('tolerances', () => {
  it('are one number for all, or some by kind', () => {
    expect(resolveTolerances()).toEqual(TOLERANCES);
    expect(resolveTolerances(parseTolerance('1e-2'))).toEqual({ forward: 1e-2, gradient: 1e-2, gate: 1e-2, information: 1e-2 });
    expect(resolveTolerances(parseTolerance('gate=1e-3, forward=2e-6'))).toEqual({ ...TOLERANCES, gate: 1e-3, forward: 2e-6 });
  });

  it.each(['', 'x', '0', '-1', '1e-4,', 'gate', 'gate=', 'gate=1=2', 'other=1', 'Infinity', 'toString=1'])('refuses "%s"', text => {
    expect(() => parseTolerance(text)).toThrow(NarrowsError);
    expect(() => parseTolerance(text)).toThrow(/--tolerance takes/);
  });
});
