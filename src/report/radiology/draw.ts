/** @file Pictures of an audit: a radiograph with its boxes, and maps on it, side by side. */

import type { AuditRecord, Variant } from '../../evaluation/radiology/record.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { defaultColourMap } from '../attribution/colour-map.ts';
import { displayScale } from '../attribution/normalise.ts';
import { composite, defaultOpacity, overlayLayer } from '../attribution/overlay.ts';
import { dataUri } from '../attribution/picture.ts';
import { sharpCodec } from '../attribution/sharp-codec.ts';

/** Maps that are shown, with what stands above them. */
export const SHOWN: readonly (readonly [Variant, string])[] = [
  ['phrase', 'the phrase'],
  ['mirrored', 'other side'],
  ['denied', 'denied'],
  ['shuffled', 'another’s phrase'],
  ['randomised', 'random weights'],
];

/** A drawn finding. */
export interface DrawnFinding {
  readonly record: AuditRecord;
  /** Size of all its pictures. */
  readonly width: number;
  readonly height: number;
  /** Boxes in pixels of the drawn pictures: left, top, width, height. */
  readonly boxes: readonly (readonly number[])[];
  /** `data:` URIs: the radiograph, then the maps of `SHOWN` that there are. */
  readonly picture: string;
  readonly maps: Readonly<Partial<Record<Variant, string>>>;
}

/** Draws a finding; all its maps share the scale of the phrase's, so that a fainter one is fainter. Random weights have a scale of their own. @param kind `exact` (PNG) for pictures inside of a PNG */
export async function drawFinding(
  record: AuditRecord,
  path: string,
  pictures: ImageReadOptions | undefined,
  side: number,
  kind: 'small' | 'exact',
): Promise<DrawnFinding> {
  const { width: w, height: h, data } = await decodeImage(path, { ...pictures, onNote: undefined, onWarning: undefined });
  const original: RgbImage = { width: w, height: h, data };
  const factor = side / Math.max(w, h);
  const [width, height] = [Math.round(w * factor), Math.round(h * factor)];
  const picture = await sharpCodec.resize(original, width, height, 'lanczos3');
  const common = displayScale(record.maps.phrase ?? [], 'nats', {});
  const maps: Partial<Record<Variant, string>> = {};
  for (const [variant] of SHOWN) {
    const values = record.maps[variant];
    if (!values) continue;
    const scale = variant === 'randomised' ? displayScale(values, 'nats', {}) : common;
    const drawable = { grid: record.grid, patches: Float32Array.from(values), view: record.view };
    const layer = overlayLayer(drawable, original, width, height, {
      method: 'blended',
      map: defaultColourMap(scale.signed),
      scale,
      opacity: defaultOpacity.blended,
    });
    maps[variant] = await dataUri(sharpCodec, composite(picture, layer), kind);
  }
  return {
    ...{ record, width, height, maps },
    boxes: record.boxes.map(box => box.map(v => v * factor)),
    picture: await dataUri(sharpCodec, picture, kind),
  };
}

/** At most so many findings of each class, those whose share inside is nearest to the class's middle, so that no row shows the best only. */
export function typical(records: readonly AuditRecord[], count: number): AuditRecord[] {
  const labels = [...new Set(records.map(({ label }) => label))].sort();
  return labels.flatMap(label => {
    const group = records.filter(record => record.label === label && record.inside.phrase !== undefined);
    const sorted = group.toSorted((a, b) => a.inside.phrase! - b.inside.phrase!);
    const middle = Math.floor((sorted.length - count) / 2);
    return sorted.slice(Math.max(0, middle), Math.max(0, middle) + count);
  });
}
