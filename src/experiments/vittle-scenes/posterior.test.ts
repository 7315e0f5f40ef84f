import { expect, it } from 'vitest';
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { posteriorOutcome } from './posterior.ts';

const config = { bottleneck_layers: [1], modalities: ['visual', 'text'], beta_visual: 0.1, beta_text: 0.1 } as unknown as BottleneckConfig;
const line = (step: number, kl: number) => ({ step, kl_visual: kl, kl_text: 0.5, used_visual: 0.1, used_text: 1, variance_visual: 1 });

it('has the means of the last tenth, and each warning once', () => {
  const { figures, warnings } = posteriorOutcome([line(20, 0.01), line(80, 0.02), line(95, 0.02), line(100, 0.04)], config, 100)!;
  expect(figures).toEqual({ kl_visual: 0.03, kl_text: 0.5, used_visual: 0.1, used_text: 1, variance_visual: 1 });
  expect(warnings).toEqual([expect.stringMatching(/posterior of image tokens is at its prior after 20 of 100 updates/)]);
  expect(posteriorOutcome([line(20, 2), line(40, 3)], config, 100)).toMatchObject({ figures: { kl_visual: 3 }, warnings: [] });
  expect(posteriorOutcome([], config, 100)).toEqual({ figures: {}, warnings: [] });
});

it('is of charged bottlenecks only', () => {
  expect(posteriorOutcome([line(100, 1)], undefined, 100)).toBeUndefined();
  expect(posteriorOutcome([line(100, 1)], { ...config, control: 'noise' }, 100)).toBeUndefined();
});
