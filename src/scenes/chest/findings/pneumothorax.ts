/** @file Pneumothorax: air between wall and lung, without vessels, bounded by the thin line of the pleura. */
import { bump, signOf, smooth, wall } from '../body.ts';
import type { Finding, Size } from '../finding.ts';

const DEPTH: Readonly<Record<Size, readonly [number, number]>> = { small: [0.03, 0.045], moderate: [0.06, 0.08], large: [0.1, 0.14] };

/** The entry. */
export const pneumothorax: Finding = {
  name: 'pneumothorax',
  site: 'lung',
  sided: true,
  zoned: false,
  sized: true,
  labels: { msCxr: 'Pneumothorax', vindr: 'Pneumothorax', chexlocalize: 'Pneumothorax' },
  sentences: ['{size} {side} pneumothorax', 'there is a {size} pneumothorax on the {side}', '{size} pneumothorax of the {side} lung'],
  absent: ['no pneumothorax', 'there is no pneumothorax'],
  paint({ width, height, body, values, lung }, { side, size }, reader) {
    const mask = new Uint8Array(width * height);
    const sign = signOf(side!);
    const depth = reader.uniform(...DEPTH[size!]);
    const end = body.base - reader.uniform(0.2, 0.32);
    for (let y = 0, i = 0; y < height; y++) {
      const v = (y + 0.5) / height;
      const edge = wall(body, v);
      for (let x = 0; x < width; x++, i++) {
        const u = (x + 0.5) / width - body.centre;
        if (u * sign <= 0 || lung[i] < -0.008) continue;
        // From the wall and the top, not from the mediastinum: air rises.
        const wide = depth * (1.3 - 0.9 * smooth(body.apex, end, v));
        const gap = wide - (edge - Math.abs(u));
        const lower = smooth(end + 0.04, end - 0.04, v);
        const share = smooth(-0.003, 0.003, gap) * lower * smooth(-0.008, 0.01, lung[i]);
        // The border of the collapsed lung is a thin white line.
        values[i] += 0.2 * bump(gap / 0.008) * lower * smooth(0, 0.01, lung[i]);
        if (share === 0) continue;
        // Even and dark: what is left are the ribs, faintly.
        values[i] += share * 0.75 * (0.07 - values[i]);
        if (share > 0.5) mask[i] = 1;
      }
    }
    return mask;
  },
};
