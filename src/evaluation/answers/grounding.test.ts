import { describe, expect, it } from 'vitest';
import type { ImageAttribution, TextAttribution } from '../../attribution/result.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { ScoredAnswer as Scored } from '../scorers/scorer.ts';
import { foretells, foretellsMore, groundingOf } from './grounding.ts';
import { mapAgreement, mapMovement } from './map-movement.ts';

const none = { verdict: 'no-optimisation', note: '', fit: [], compression: [] } as const;
const image = (patches: number[]): ImageAttribution => ({
  ...{ tokens: Float32Array.from(patches), prefixTokens: 0, grid: [2, 2], patches: Float32Array.from(patches), convergence: none },
  view: { left: 10, top: 0, width: 8, height: 8 },
});
const text = (values: number[]): TextAttribution => ({
  ...{ tokens: [], convergence: none },
  words: values.map((value, i) => ({ text: `w${i}`, start: i, end: i + 1, value, tokens: [] })),
});
const random = new RandomStream(0, 'test');

describe('grounding', () => {
  it('sums what is positive, of the picture and of the question apart', () => {
    const figures = groundingOf({ image: image([6, 2, -5, 0]), text: text([1, 1, -9]) });
    expect(figures).toEqual({ image: 8, imageShare: 0.8, peak: 6, concentration: 1 });
    expect(groundingOf({ image: image([6, 2, 0, 0]) }).imageShare).toBeNaN();
    expect(groundingOf({ image: image([0, 0, 0, 0]), text: text([1]) }).concentration).toBeNaN();
  });

  it('finds the mass in the place of the thing, in the pixels of the picture', () => {
    // The view begins at column 10: its left half is columns 10 to 13, its right half 14 to 17.
    const left = groundingOf({ image: image([5, 0, 5, 0]) }, [10, 0, 4, 8]);
    const right = groundingOf({ image: image([5, 0, 5, 0]) }, [14, 0, 4, 8]);
    expect(left.thingShare!).toBeGreaterThan(0.75);
    expect(left.thing!).toBeCloseTo(10 * left.thingShare!, 5);
    expect(left.thingShare! + right.thingShare!).toBeCloseTo(1, 5);
    const below = groundingOf({ image: image([0, 0, 4, 0]) }, [10, 4, 4, 4]);
    expect(below.thingShare!).toBeGreaterThan(0.5);
  });

  const answers = (scores: number[]): ScoredScore[] => scores.map((score, i) => ({ score, right: i % 2 === 0, cluster: `p${i}` }));
  it('foretells perfectly, reversed, or not at all', () => {
    const up = answers([9, 1, 8, 2, 7, 3]);
    expect(foretells(up, random).estimate).toBe(1);
    expect(foretells(answers([1, 9, 2, 8, 3, 7]), random).estimate).toBe(0);
    expect(foretells(answers([5, 5, 5, 5]), random).estimate).toBe(0.5);
    expect(foretells([...up, { score: Number.NaN, right: true, cluster: 'x' }], random).estimate).toBe(1);
    expect(foretellsMore(up, answers([1, 9, 2, 8, 3, 7]), random).estimate).toBe(1);
    expect(() => foretellsMore(up, [], random)).toThrow(RangeError);
  });
});
type ScoredScore = { score: number; right: boolean; cluster: string };

describe('maps under shift', () => {
  it('agree by rank; maps without an order only with each other', () => {
    expect(mapAgreement([1, 2, 3], [10, 20, 35])).toBe(1);
    expect(mapAgreement([1, 2, 3], [3, 2, 1])).toBe(-1);
    expect(mapAgreement([1, 1], [2, 2])).toBe(1);
    expect(mapAgreement([1, 1], [2, 3])).toBe(0);
  });

  it('foretell the answers that break, out of those that were right clean', () => {
    const row = (key: string, correct: number) => ({ question: { key, cluster: key }, correct }) as unknown as Scored;
    const clean = ['a', 'b', 'c', 'd', 'e'].map(key => row(key, key === 'e' ? 0 : 1));
    const shifted = [row('a', 1), row('b', 0), row('c', 1), row('d', 0), row('e', 1)];
    const agreement = new Map([
      ['a', 0.9],
      ['b', 0.1],
      ['c', 0.8],
      ['d', 0.2],
      ['e', 0.0],
    ]);
    const found = mapMovement(agreement, clean, shifted, random)!;
    expect(found.auc!.estimate).toBe(1);
    expect([found.n, found.rightClean, found.broken]).toEqual([5, 4, 2]);
    expect(found.correlation.estimate).toBeCloseTo(0.4, 6);
    expect(mapMovement(new Map(), clean, shifted, random)).toBeUndefined();
    expect(mapMovement(agreement, clean, clean, random)!.auc).toBeUndefined();
  });
});
