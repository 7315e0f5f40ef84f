/** @file Lung opacity: a hazy patch of a lung, brighter and darker within, without a sharp border. */

import { pointInLung } from '../blob.ts';
import { smooth } from '../body.ts';
import type { Finding } from '../finding.ts';

/** The entry. */
export const lungOpacity: Finding = {
  name: 'lung opacity',
  site: 'lung',
  sided: true,
  zoned: true,
  sized: false,
  labels: { msCxr: 'Lung Opacity', vindr: 'Lung Opacity', rsna: true, chexlocalize: 'Airspace Opacity' },
  sentences: ['opacity in the {side} {zone} zone', '{side} {zone} zone opacity', 'there is a hazy opacity in the {zone} {side} lung'],
  absent: ['no opacity', 'there is no opacity'],
  paint(film, { side, zone }, reader) {
    const { width, height, values, lung } = film;
    const mask = new Uint8Array(width * height);
    const radius = reader.uniform(0.09, 0.14);
    const [cx, cy] = pointInLung(film, side!, zone!, radius * 0.6, reader);
    // A cloud: a few soft balls around the centre.
    const balls = Array.from({ length: 7 }, () => {
      const r = radius * reader.uniform(0.35, 0.6);
      const reach = radius * 0.75;
      return {
        u: cx / width + reader.uniform(-reach, reach),
        v: cy / height + reader.uniform(-reach, reach),
        r,
        light: reader.uniform(0.1, 0.2),
      };
    });
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        const inside = smooth(-0.005, 0.012, lung[i]);
        if (inside === 0) continue;
        let haze = 0;
        for (const { u, v, r, light } of balls) {
          const du = (x + 0.5) / width - u;
          const dv = (y + 0.5) / height - v;
          const far = (du * du + dv * dv) / (r * r);
          if (far < 1) haze += light * (1 - far);
        }
        if (haze === 0) continue;
        haze = 0.3 * (haze / (haze + 0.14));
        values[i] += inside * haze;
        if (inside * haze > 0.07) mask[i] = 1;
      }
    return mask;
  },
};
