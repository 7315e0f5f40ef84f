/** @file Draws the gallery's raw maps on their pictures. */
import type { ComparisonResults, ResultCase, ResultMap } from '../../evaluation/compare/results.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { defaultColourMap } from '../attribution/colour-map.ts';
import { isDark } from '../attribution/figure-options.ts';
import { displayScale } from '../attribution/normalise.ts';
import { composite, defaultOpacity, greyed, overlayLayer } from '../attribution/overlay.ts';
import { dataUri } from '../attribution/picture.ts';
import { sharpCodec } from '../attribution/sharp-codec.ts';

/** Pictures of a case as `data:` URLs. */
export interface DrawnCase {
  /** The bare picture, PNG. */
  readonly plain: string;
  /** The picture with the truth outlined, small. */
  readonly picture: string;
  /** Images: by method, the map on the picture, small. */
  readonly maps: ReadonlyMap<string, string>;
}

/** Every case of the results' galleries, drawn. */
export type DrawnGallery = ReadonlyMap<ResultCase, DrawnCase>;

/** Draws all cases. @throws NarrowsError for a map that is not finite */
export async function drawGallery(results: ComparisonResults): Promise<DrawnGallery> {
  const drawn = new Map<ResultCase, DrawnCase>();
  for (const { gallery, modality } of results.parts)
    for (const one of gallery) {
      const maps = new Map<string, string>();
      if (modality === 'image') for (const map of one.maps) maps.set(map.method, await dataUri(sharpCodec, drawMap(one, map), 'small'));
      const picture = await dataUri(sharpCodec, one.mask ? outlined(one.picture, one.mask.data) : one.picture, 'small');
      drawn.set(one, { plain: await dataUri(sharpCodec, one.picture, 'exact'), picture, maps });
    }
  return drawn;
}

/** A map on its picture, by the map's own colour scale. */
export function drawMap({ picture, grid, view }: ResultCase, { values, unit }: ResultMap): RgbImage {
  const scale = displayScale(values, unit);
  const map = defaultColourMap(scale.signed, isDark(picture));
  const style = { method: 'blended', map, scale, opacity: defaultOpacity.blended } as const;
  const image = { grid: grid!, patches: Float32Array.from(values), view: view! };
  const layer = overlayLayer(image, picture, picture.width, picture.height, style);
  return composite(scale.signed ? greyed(picture) : picture, layer);
}

/** The picture with a line of black and white around what the mask holds. */
export function outlined({ width, height, data: pixels }: RgbImage, mask: ArrayLike<number>): RgbImage {
  const data = Uint8Array.from(pixels);
  const inside = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  const around = (x: number, y: number, d: number): boolean => inside(x - d, y) || inside(x + d, y) || inside(x, y - d) || inside(x, y + d);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (inside(x, y)) continue;
      const near = around(x, y, 1);
      if (near || around(x, y, 2)) data.fill(near ? 255 : 0, 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  return { width, height, data };
}
