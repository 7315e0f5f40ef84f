/** @file Cardiomegaly: a heart of more than half of the thorax's width. The body is drawn with it. */
import type { Finding } from '../finding.ts';

/** The entry. */
export const cardiomegaly: Finding = {
  name: 'cardiomegaly',
  site: 'heart',
  sided: false,
  zoned: false,
  sized: false,
  labels: { msCxr: 'Cardiomegaly', vindr: 'Cardiomegaly', chexlocalize: 'Cardiomegaly' },
  sentences: ['the heart is enlarged', 'cardiomegaly', 'enlarged cardiac silhouette'],
  absent: ['the heart is of normal size', 'no cardiomegaly'],
  paint: ({ width, height, body, heart }) =>
    Uint8Array.from({ length: width * height }, (_, i) => (heart[i] > 0 && Math.floor(i / width) < body.base * height ? 1 : 0)),
};
