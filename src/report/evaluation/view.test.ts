import { describe, expect, it } from 'vitest';
import { figureText, isSignificant, plainFigure, pointsInterval, pointsText, scoreInterval, unitText } from './view.ts';

describe('how figures are written', () => {
  it('shares in percent, other figures as they are', () => {
    expect([figureText(0.8567, 1), figureText(63.25, 100), figureText(1480.04, 2000), figureText(Number.NaN, 1)]).toEqual([
      '85.7',
      '63.3',
      '1480.0',
      '–',
    ]);
    expect([unitText(1), unitText(2000)]).toEqual(['%', 'of 2000']);
    const score = { interval: { metric: 'accuracy', low: 0.801, high: 0.912, clusters: 3 } } as never;
    expect([scoreInterval(score, 1), scoreInterval(score, 100)]).toEqual(['[80.1, 91.2]', '[0.8, 0.9]']);
    expect([plainFigure(0.12345), plainFigure(1234.5), plainFigure(17), plainFigure(undefined)]).toEqual(['0.123', '1234.5', '17', '']);
  });
  it('differences in points, with sign', () => {
    expect([pointsText(-0.125), pointsText(0.031), pointsText(0)]).toEqual(['−12.5', '+3.1', '0.0']);
    expect(pointsInterval({ low: -0.2, high: 0.05 })).toBe('[−20.0, 5.0]');
    expect(pointsInterval({ low: Number.NaN, high: Number.NaN })).toBe('');
    expect([0.049, 0.05, Number.NaN].map(adjusted => isSignificant({ adjusted }))).toEqual([true, false, false]);
  });
});
