/** @file Where in a lung a round finding can lie. */
import type { RandomReader } from '../../tensor/random.ts';
import { type Side, signOf } from './body.ts';
import type { Film } from './film.ts';
import type { Zone } from './finding.ts';

/** A point in pixels, deep enough in the lung of a side and zone that `radius` (of the picture's side) lies mostly inside, and off the heart. */
export function pointInLung(
  { width, height, body, lung, heart }: Film,
  side: Side,
  zone: Zone,
  radius: number,
  reader: RandomReader,
): [number, number] {
  const sign = signOf(side);
  // Zones part at the hilum, with a strip between them that belongs to none.
  const [top, bottom] = zone === 'upper' ? [body.apex + 0.06, 0.42] : [0.52, body.base - 0.05];
  const fits: number[][] = [[], []];
  for (let y = Math.floor(top * height); y < bottom * height; y++)
    for (let x = 0; x < width; x++) {
      const u = (x + 0.5) / width - body.centre;
      const i = y * width + x;
      if (u * sign <= 0 || heart[i] > -0.25) continue;
      if (lung[i] >= radius * 0.8) fits[0].push(i);
      else if (lung[i] >= radius * 0.35) fits[1].push(i);
    }
  const at = reader.uniform();
  const list = fits[0].length ? fits[0] : fits[1];
  const chosen = list.length
    ? list[Math.floor(at * list.length)]
    : Math.floor(((top + bottom) / 2) * height) * width + Math.round((body.centre + sign * 0.22) * width);
  return [chosen % width, Math.floor(chosen / width)];
}
