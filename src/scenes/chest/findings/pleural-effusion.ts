/** @file Pleural effusion: fluid in the lowest part of a lung, with a border that rises towards the wall (meniscus). */
import { signOf, smooth, wall } from '../body.ts';
import type { Finding, Size } from '../finding.ts';

const HEIGHT: Readonly<Record<Size, readonly [number, number]>> = { small: [0.06, 0.1], moderate: [0.16, 0.22], large: [0.3, 0.4] };

/** The entry. */
export const pleuralEffusion: Finding = {
  name: 'pleural effusion',
  site: 'lung',
  sided: true,
  zoned: false,
  sized: true,
  labels: { msCxr: 'Pleural Effusion', vindr: 'Pleural effusion', chexlocalize: 'Pleural Effusion' },
  sentences: [
    '{size} {side} pleural effusion',
    'there is a {size} pleural effusion on the {side}',
    '{size} effusion in the {side} pleural space',
  ],
  absent: ['no pleural effusion', 'there is no pleural effusion'],
  paint({ width, height, body, values, lung, heart }, { side, size }, reader) {
    const mask = new Uint8Array(width * height);
    const sign = signOf(side!);
    const level = body.base - body.domes[sign] * 0.55 - reader.uniform(...HEIGHT[size!]);
    const rise = reader.uniform(0.05, 0.09);
    for (let y = 0, i = 0; y < height; y++) {
      const v = (y + 0.5) / height;
      const edge = wall(body, v);
      for (let x = 0; x < width; x++, i++) {
        const u = (x + 0.5) / width - body.centre;
        if (u * sign <= 0) continue;
        const inside = smooth(-0.012, 0.006, lung[i]);
        if (inside === 0) continue;
        const t = Math.min(1, Math.abs(u) / Math.max(edge, 0.1));
        const above = v - level + rise * t * t * t;
        const share = inside * smooth(-0.02, 0.018, above);
        if (share === 0) continue;
        values[i] += share * Math.max(0, body.tissue + 0.14 - values[i]);
        if (share > 0.5 && heart[i] <= 0) mask[i] = 1;
      }
    }
    return mask;
  },
};
