/** @file Nodule: a small round spot with a sharp border. */

import { pointInLung } from '../blob.ts';
import { smooth } from '../body.ts';
import type { Finding } from '../finding.ts';

/** The entry. */
export const nodule: Finding = {
  name: 'nodule',
  site: 'lung',
  sided: true,
  zoned: true,
  sized: false,
  labels: { vindr: 'Nodule/Mass', chexlocalize: 'Lung Lesion' },
  sentences: ['nodule in the {side} {zone} zone', '{side} {zone} zone nodule', 'there is a nodule in the {zone} {side} lung'],
  absent: ['no nodule', 'there is no nodule'],
  paint(film, { side, zone }, reader) {
    const { width, height, values } = film;
    const mask = new Uint8Array(width * height);
    const radius = reader.uniform(0.03, 0.05);
    const light = reader.uniform(0.26, 0.36);
    const [cx, cy] = pointInLung(film, side!, zone!, radius, reader);
    const squash = reader.uniform(0.85, 1.15);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        const du = ((x - cx) / width) * squash;
        const dv = (y - cy) / height / squash;
        const share = smooth(1.12, 0.85, Math.sqrt(du * du + dv * dv) / radius);
        if (share === 0) continue;
        values[i] += share * light;
        if (share > 0.5) mask[i] = 1;
      }
    return mask;
  },
};
