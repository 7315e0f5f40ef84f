/** @file Pacemaker: a metal box below a clavicle, with a lead to the heart. */
import { signOf, smooth } from '../body.ts';
import type { Finding } from '../finding.ts';
import { stroke } from '../stroke.ts';

/** The entry. */
export const pacemaker: Finding = {
  name: 'pacemaker',
  site: 'device',
  sided: true,
  zoned: false,
  sized: false,
  labels: { chexlocalize: 'Support Devices' },
  sentences: ['pacemaker over the {side} chest', '{side} chest wall pacemaker', 'there is a pacemaker on the {side}'],
  absent: ['no pacemaker', 'there is no pacemaker'],
  paint(film, { side }, reader) {
    const { width, height, body, values } = film;
    const mask = new Uint8Array(width * height);
    const sign = signOf(side!);
    const cu = body.centre + sign * (body.width * 0.78 + reader.uniform(-0.02, 0.02));
    const cv = body.apex + reader.uniform(0.12, 0.17);
    const half = reader.uniform(0.045, 0.058);
    const tip = [body.centre + body.heart.u + 0.2 * body.heart.ru, body.heart.v + 0.45 * body.heart.rv] as const;
    stroke(film, mask, [[cu, cv], [body.centre - 0.05, 0.12], tip], 0.0038, 0.88);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        const du = Math.abs((x + 0.5) / width - cu) / half;
        const dv = Math.abs((y + 0.5) / height - cv) / (half * 0.85);
        const share = smooth(1.06, 0.94, Math.sqrt(Math.sqrt(du ** 4 + dv ** 4)));
        if (share === 0) continue;
        values[i] += share * Math.max(0, 0.97 - values[i]);
        if (share > 0.5) mask[i] = 1;
      }
    return mask;
  },
};
