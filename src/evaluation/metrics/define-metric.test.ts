import { expect, it } from 'vitest';
import { defineMetric } from './define-metric.ts';

it('a metric says what it is by default, and keeps what it is given', () => {
  const given = {
    name: 'largest',
    direction: 'none',
    evaluate: ({ map }: { map: ArrayLike<number> }) => Math.max(...Array.from(map)),
  } as const;
  expect(defineMetric(given)).toMatchObject({
    title: 'largest',
    category: 'complexity',
    modalities: ['image', 'text'],
    needs: [],
    unit: 'score',
  });
  expect(defineMetric({ ...given, modalities: ['text'], title: 'Largest' })).toMatchObject({ modalities: ['text'], title: 'Largest' });
});
