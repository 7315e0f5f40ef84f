import { describe, expect, it } from 'vitest';
import type { CollectedKind } from '../../evaluation/compare/collect.ts';
import type { Choice, CompareSpec } from '../../evaluation/compare/settings.ts';
import { choosingMetric, placesOf } from './gallery.ts';

describe('the places of the gallery', () => {
  const values = [[0.2, 0.4], [0.9, 0.7], [Number.NaN, 0.1], [], [0.1, 0.1], [0.5, 0.7]];

  it('go by the mean over seeds and the direction of the metric; pairs without a value are left out', () => {
    expect(placesOf(values, 'higher')).toEqual({ best: 1, median: 0, worst: 4 });
    expect(placesOf(values, 'lower')).toEqual({ best: 4, median: 5, worst: 1 });
  });

  it('are those of the first of equals, one pair in all three, and none without values', () => {
    expect(placesOf([[1], [1], [1]], 'higher')).toEqual({ best: 0, median: 1, worst: 2 });
    expect(placesOf([[1], [1], [1]], 'lower')).toEqual({ best: 0, median: 1, worst: 2 });
    expect(placesOf([[], [3]], 'lower')).toEqual({ best: 1, median: 1, worst: 1 });
    expect(placesOf([[Number.NaN], []], 'higher')).toBeUndefined();
  });
});

it('the metric that chooses is the first of localisation with values, else the first with a direction', () => {
  const metrics: Choice[] = ['entropy', 'forward-passes', 'insertion', 'pointing-game', 'energy-pointing-game'].map(name => ({
    ...{ label: `my ${name}`, name, options: {} },
  }));
  const kindWith = (...names: string[]): CollectedKind =>
    ({ values: Object.fromEntries(names.map(name => [`my ${name}`, {}])) }) as unknown as CollectedKind;
  const spec = { metrics } as unknown as CompareSpec;
  expect(choosingMetric(spec, kindWith('insertion', 'pointing-game', 'energy-pointing-game'))).toBe('my pointing-game');
  expect(choosingMetric(spec, kindWith('insertion', 'energy-pointing-game'))).toBe('my energy-pointing-game');
  expect(choosingMetric(spec, kindWith('forward-passes', 'insertion'))).toBe('my forward-passes');
  expect(choosingMetric(spec, kindWith())).toBeUndefined();
});
