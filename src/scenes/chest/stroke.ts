/** @file Thin bright lines: catheters and leads. */
import { smooth } from './body.ts';
import type { Film } from './film.ts';

/** A point in units of the picture's side. */
export type Point = readonly [u: number, v: number];

/**
 * Draws a smooth curve of three points (a quadratic) and marks its pixels.
 * @param radius in units of the picture's side
 */
export function stroke(
  { width, height, values }: Film,
  mask: Uint8Array,
  [a, b, c]: readonly [Point, Point, Point],
  radius: number,
  light: number,
): void {
  const steps = 2 * Math.max(width, height);
  const reach = Math.max(radius, 0.6 / width);
  const strength = new Map<number, number>();
  for (let k = 0; k <= steps; k++) {
    const t = k / steps;
    const [p, q, r] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
    const cx = (p * a[0] + q * b[0] + r * c[0]) * width - 0.5;
    const cy = (p * a[1] + q * b[1] + r * c[1]) * height - 0.5;
    const far = Math.ceil(reach * 2 * width);
    for (let y = Math.max(0, Math.round(cy) - far); y <= Math.min(height - 1, Math.round(cy) + far); y++)
      for (let x = Math.max(0, Math.round(cx) - far); x <= Math.min(width - 1, Math.round(cx) + far); x++) {
        const du = (x - cx) / width;
        const dv = (y - cy) / height;
        const share = smooth(reach * 1.7, reach * 0.5, Math.sqrt(du * du + dv * dv));
        const i = y * width + x;
        if (share > (strength.get(i) ?? 0)) strength.set(i, share);
      }
  }
  for (const [i, share] of strength) {
    values[i] += share * Math.max(0, light - values[i]);
    if (share > 0.5) mask[i] = 1;
  }
}
