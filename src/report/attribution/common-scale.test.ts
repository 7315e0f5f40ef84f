import { expect, test } from 'vitest';
import { commonScale } from './common-scale.ts';

const bit = Math.LN2;

test('ends at the strongest value; one map among a hundred does not darken the others', () => {
  expect(commonScale([], 'nats')).toBeUndefined();
  expect(
    commonScale(
      [
        [1, 0.5],
        [3, 0],
      ],
      'nats',
    ),
  ).toMatchObject({ maps: 2, beyond: 0, scale: { low: 0, high: 3, signed: false } });
  const many = Array.from({ length: 100 }, (_, i) => [i === 40 ? 500 : 1 + i / 100]);
  const common = commonScale(many, 'nats')!;
  expect(common.scale.high).toBeCloseTo(1.98, 9);
  expect(common.beyond).toBe(2);
  expect(commonScale([[1], [2]], 'nats', 'bits')!.scale.factor).toBe(Math.LOG2E);
});

test('maps of less than a bit are not hot', () => {
  // A tenth of a bit in one patch by itself: a tenth of the scale.
  expect(commonScale([[0.1 * bit, 0]], 'nats')!.scale.high).toBeCloseTo(bit, 9);
  // Beside maps of many bits that are spread thin, at most a quarter of the scale.
  const thin = Array.from({ length: 100 }, () => 0.1);
  const high = commonScale([thin, [0.2 * bit, 0]], 'nats')!.scale.high;
  expect((0.2 * bit) / high).toBeCloseTo(0.25, 9);
  // Next to nothing does not stretch it.
  expect(commonScale([thin, [0.001, 0]], 'nats')!.scale.high).toBe(0.1);
  expect(commonScale([[0, 0]], 'nats')!.scale.high).toBe(0);
  // Scores have no bits.
  expect(commonScale([[0.01, 0]], 'score')!.scale.high).toBe(0.01);
});

test('has two sides where any map has evidence against', () => {
  expect(
    commonScale(
      [
        [1, 0],
        [0.2, -0.5],
      ],
      'score',
    )!.scale,
  ).toMatchObject({ low: -1, high: 1, signed: true });
  expect(
    commonScale(
      [
        [1, 0],
        [0.2, -0.01],
      ],
      'score',
    )!.scale.signed,
  ).toBe(false);
});
