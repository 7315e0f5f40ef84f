/** @file Small pictures of the index: bare, and with a map on them. */
import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { defaultColourMap } from './colour-map.ts';
import { isDark } from './figure-options.ts';
import { displayScale, type Scale } from './normalise.ts';
import { composite, type DrawableMap, defaultOpacity, greyed, overlayLayer } from './overlay.ts';
import { dataUri, type PictureCodec, resizeForDisplay } from './picture.ts';

/** Height of a thumbnail in pixels: twice that at which the index shows it. */
const HEIGHT = 144;

/** The picture `HEIGHT` pixels high, at most four times as wide. */
export function smallPicture(codec: PictureCodec, image: RgbImage): Promise<RgbImage> {
  const width = Math.max(1, Math.min(4 * HEIGHT, Math.round((image.width / image.height) * HEIGHT)));
  return resizeForDisplay(codec, image, width, Math.max(1, Math.round((width * image.height) / image.width)));
}

/** A small picture with a map on it. @param original size of the picture in whose pixels the map's view is */
export function paintSmall(small: RgbImage, map: DrawableMap, original: { width: number; height: number }, scale: Scale): RgbImage {
  const style = {
    method: 'blended',
    map: defaultColourMap(scale.signed, isDark(small)),
    scale,
    opacity: defaultOpacity.blended,
  } as const;
  const layer = overlayLayer(map, original, small.width, small.height, style);
  return composite(scale.signed ? greyed(small) : small, layer);
}

/** A thumbnail as a `data:` URI, with the map's heat where there is one. @param scale default: the map's */
export async function thumbnailWith(codec: PictureCodec, result: Attribution, image: RgbImage, scale?: Scale): Promise<string> {
  const small = await smallPicture(codec, image);
  if (!result.image) return dataUri(codec, small, 'small');
  const drawn = paintSmall(small, result.image, image, scale ?? displayScale(result.image.patches, result.unit));
  return dataUri(codec, drawn, 'small');
}
