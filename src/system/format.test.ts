import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatNumber } from './format.ts';

describe('format', () => {
  it.each([
    [0, '0 ms'],
    [0.35, '350 ms'],
    [0.9996, '1.0 s'],
    [4.2, '4.2 s'],
    [9.96, '10 s'],
    [59.7, '1 min'],
    [80, '1 min 20 s'],
    [3599.6, '1 h'],
    [7500, '2 h 5 min'],
    [86_399, '1 d'],
    [273_600, '3 d 4 h'],
    [Number.NaN, '?'],
    [Number.POSITIVE_INFINITY, '?'],
  ])('duration of %d s: %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [12_345_678, '12.3 MB'],
    [999_960, '1.0 MB'],
    [5e9, '5.0 GB'],
  ])('%d bytes: %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, '0.00'],
    [0.5, '0.500'],
    [-12.34, '-12.3'],
    [99.96, '100'],
    [999.6, '1,000'],
    [1234.5, '1,235'],
    [1.2e-5, '1.20e-5'],
    [1e16, '1.00e+16'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('number %d: %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('counts', () => expect(formatCount(1_234_567)).toBe('1,234,567'));
});
