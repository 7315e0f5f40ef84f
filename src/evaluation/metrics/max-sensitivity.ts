/** @file Max-sensitivity (Yeh et al., NeurIPS 2019): how far a map moves when the picture is changed by noise that nobody sees. */
import { z } from 'zod';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { MetricEntry } from './metric.ts';
import { explainAgain } from './options.ts';

/** max over n draws of ‖a(x + δ) − a(x)‖ / ‖a(x)‖, δ uniform in ±radius; NaN for a map of zeros. */
export const maxSensitivity: MetricEntry<{ radius: number; samples: number }> = {
  name: 'max-sensitivity',
  title: 'Max-sensitivity',
  category: 'robustness',
  modalities: ['image'],
  direction: 'lower',
  unit: 'relative',
  reading: 'Largest relative change of the map under noise too small to see; above 1 the noise decides more than the picture.',
  source: 'Yeh et al.: On the (in)fidelity and sensitivity of explanations, NeurIPS 2019, definition 3; captum.metrics.sensitivity_max',
  needs: ['pixels', 'explain'],
  schema: z.strictObject({
    radius: z.number().positive().default(0.02).describe('largest change of a normalised pixel'),
    samples: z.number().int().positive().default(5).describe('draws (captum: 10)'),
  }),
  async evaluate(sample, { radius, samples }) {
    const length = Math.hypot(...sample.map);
    if (length === 0) return Number.NaN;
    const { data, shape } = sample.pixels!;
    const random = new RandomStream(sample.key, 'metric.max-sensitivity');
    let worst = 0;
    for (let s = 0; s < samples; s++) {
      const reader = random.reader(0, s);
      const moved = await explainAgain(sample, {
        pixels: floats(
          shape,
          data.map(v => v + radius * (2 * reader.uniform() - 1)),
        ),
      });
      worst = Math.max(worst, Math.hypot(...moved.map((v, i) => v - sample.map[i])) / length);
    }
    return worst;
  },
};
