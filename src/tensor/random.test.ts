import { describe, expect, it } from 'vitest';
import { philox } from './philox.ts';
import { normalQuantile } from './quantile.ts';
import { RandomStream } from './random.ts';

describe('philox4x32-10', () => {
  // Known-answer vectors of Random123 1.14 (kat_vectors).
  it.each([
    [
      [0, 0, 0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [-1, -1, -1, -1, -1, -1],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('known answer %#', ([c0, c1, c2, c3, k0, k1], expected) => {
    const out = new Uint32Array(4);
    philox({ c0, c1, c2, c3, k0, k1 }, out);
    expect([...out]).toEqual(expected);
  });
});

describe('streams', () => {
  it('give the same numbers in chunks, in one piece and one by one', () => {
    const stream = new RandomStream(7, 'noise');
    const whole = stream.normals(3, 5, new Float32Array(11));
    expect([...stream.normals(3, 5, new Float32Array(6))]).toEqual([...whole.subarray(0, 6)]);
    const reader = stream.reader(3, 5);
    expect(Array.from({ length: 11 }, () => Math.fround(reader.normal()))).toEqual([...whole]);
  });

  it('differ between seeds, streams, steps and samples', () => {
    const draw = (seed: number, name: string, step: number, sample: number) =>
      new RandomStream(seed, name).words(step, sample, new Uint32Array(2)).join();
    const all = [
      draw(1, 'a', 0, 0),
      draw(2, 'a', 0, 0),
      draw(1, 'b', 0, 0),
      draw(1, 'a', 1, 0),
      draw(1, 'a', 0, 1),
      draw(1 + 2 ** 32, 'a', 0, 0),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('are normal: first four moments of 200 000 numbers within five standard errors', () => {
    const n = 200_000;
    const x = new RandomStream(11, 'moments').normals(0, 0, new Float32Array(n));
    const moment = (k: number) => x.reduce((a, v) => a + v ** k, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it('refuse a seed that is not a non-negative integer', () => {
    expect(() => new RandomStream(-1, 'a')).toThrow(/non-negative integer/);
    expect(() => new RandomStream(0.5, 'a')).toThrow(/non-negative integer/);
  });
});

describe('normalQuantile', () => {
  // scipy.stats.norm.ppf of the same probabilities
  it.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.05, -1.6448536269514729],
    [1e-9, -5.997807015007686],
    [2 ** -33, -6.337957754553787],
  ])('%d', (p, z) => expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(2e-6 * Math.max(1, Math.abs(z))));
});
