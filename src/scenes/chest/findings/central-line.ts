/** @file Central venous line: a thin tube from the neck to the great vein beside the spine. */
import { signOf } from '../body.ts';
import type { Finding } from '../finding.ts';
import { stroke } from '../stroke.ts';

/** The entry. */
export const centralLine: Finding = {
  name: 'central line',
  site: 'device',
  sided: true,
  zoned: false,
  sized: false,
  labels: { chexlocalize: 'Support Devices' },
  sentences: ['{side} central venous line', 'central venous line from the {side}', 'there is a central line on the {side}'],
  absent: ['no central line', 'there is no central line'],
  paint(film, { side }, reader) {
    const { width, height, body } = film;
    const mask = new Uint8Array(width * height);
    const sign = signOf(side!);
    const start = [body.centre + sign * reader.uniform(0.2, 0.26), body.apex + reader.uniform(-0.01, 0.03)] as const;
    // The vein lies on the patient's right.
    const end = [body.centre - reader.uniform(0.035, 0.05), reader.uniform(0.42, 0.5)] as const;
    const bend = [body.centre - 0.03 + sign * 0.03, body.apex + reader.uniform(0.1, 0.14)] as const;
    stroke(film, mask, [start, bend, end], 0.0042, 0.9);
    return mask;
  },
};
