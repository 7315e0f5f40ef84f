import { describe, expect, it } from 'vitest';
import type { AnswerAttribution, ImageAttribution, TextAttribution } from '../../attribution/result.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { ScoredAnswer as Scored } from '../scorers/scorer.ts';
import { foretells, foretellsMore, groundingOf } from './grounding.ts';
import { mapAgreement, mapMovement, movedMap } from './map-movement.ts';

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
    // The control foretells in reverse, the mass on the thing half of the time.
    const maps = new Map([
      ['a', { correlation: 0.9, logProbability: -3, cleanMass: 0.5, mass: 0.4 }],
      ['b', { correlation: 0.1, logProbability: -1, cleanMass: 0.6, mass: 0.1 }],
      ['c', { correlation: 0.8, logProbability: -4, cleanMass: 0.7, mass: 0.2 }],
      ['d', { correlation: 0.2, logProbability: -2, cleanMass: 0.8, mass: 0.3 }],
      ['e', { correlation: 0.0, logProbability: 0 }],
    ]);
    const found = mapMovement(maps, clean, shifted, random)!;
    expect([found.auc!.estimate, found.controlAuc!.estimate, found.aucOverControl!.estimate]).toEqual([1, 0, 1]);
    expect([found.n, found.rightClean, found.broken]).toEqual([5, 4, 2]);
    expect(found.correlation.estimate).toBeCloseTo(0.4, 6);
    const { mass } = found;
    expect([mass!.n, mass!.auc!.estimate]).toEqual([4, 0.75]);
    expect([mass!.clean, mass!.shifted, mass!.change].map(one => one.estimate)).toEqual([0.65, 0.25, -0.4].map(v => expect.closeTo(v, 6)));
    expect(mapMovement(new Map(), clean, shifted, random)).toBeUndefined();
    const still = mapMovement(new Map([['a', { correlation: 1, logProbability: 0 }]]), clean, clean, random)!;
    expect([still.auc, still.mass]).toEqual([undefined, undefined]);
  });

  it('are held against each other and against the place of the thing, each its own way', () => {
    const answer = { tokens: [{ logProbability: -0.5 }, { logProbability: -0.25 }] } as unknown as AnswerAttribution['answer'];
    const clean = { image: image([8, 1, 2, 3]), answer };
    const moved = movedMap(clean, { image: image([1, 8, 2, 3]) }, [[10, 0, 4, 4]]);
    // The thing lies in the first patch (the view begins at column 10): most of the clean map, little of the shifted one.
    expect(moved.cleanMass!).toBeGreaterThan(0.45);
    expect(moved.mass!).toBeLessThan(0.2);
    expect(moved.logProbability).toBe(-0.75);
    expect(moved.correlation).toBeCloseTo(mapAgreement([8, 1, 2, 3], [1, 8, 2, 3]), 10);
    expect(movedMap(clean, { image: image([1, 8, 2, 3]) })).not.toHaveProperty('mass');
    expect(movedMap(clean, { image: image([0, 0, 0, 0]) }, [[10, 0, 4, 4]])).not.toHaveProperty('cleanMass');
  });
});
