/** @file The heat as pixels with transparency, laid on the part of the image that the model saw. */

import type { ImageAttribution } from '../../attribution/result.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import type { Rectangle, RgbImage } from '../../inputs/image/rgb-image.ts';
import type { ColourMap } from './colour-map.ts';
import { positionOf, type Scale, strengthOf } from './normalise.ts';
import type { Layer } from './picture.ts';

/**
 * How the map is laid on the image. `blended`: transparent where nothing is needed, the map's colours where much is (on a grey image when the scores are
 * signed, since two hues need a ground without hues);
 * `heat`: the map's colours everywhere, on a grey image; `masked`: the image itself, dark where little is needed;
 * `contour`: the image with lines of equal value.
 */
export type OverlayMethod = 'blended' | 'heat' | 'masked' | 'contour';

/** Every overlay method, the default first. */
export const overlayMethods: readonly OverlayMethod[] = ['blended', 'heat', 'masked', 'contour'];

/** Opacity of the strongest value, per method, when none is asked for. */
export const defaultOpacity: Readonly<Record<OverlayMethod, number>> = { blended: 0.85, heat: 0.72, masked: 0.94, contour: 1 };

/** What of an attribution is drawn. */
export type DrawableMap = Pick<ImageAttribution, 'grid' | 'patches' | 'pixels' | 'view'>;

/**
 * The model's view in a picture shown at `width`×`height`: whole pixels, at least one each way. It may reach outside the picture
 * where the model was fed a padded image.
 */
export function viewBox(
  image: Pick<DrawableMap, 'view'>,
  original: { width: number; height: number },
  width: number,
  height: number,
): Rectangle {
  const [sx, sy] = [width / original.width, height / original.height];
  const { view } = image;
  const left = Math.min(width - 1, Math.round(view.left * sx));
  const top = Math.min(height - 1, Math.round(view.top * sy));
  const right = Math.round((view.left + view.width) * sx);
  const bottom = Math.round((view.top + view.height) * sy);
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

/** The finest map there is: pixels where the method gives them, else patches; with its rows and columns. */
export function finestMap(image: DrawableMap): { values: Float32Array; grid: readonly [number, number]; of: 'pixel' | 'patch' } {
  const { pixels, patches, grid } = image;
  return pixels ? { values: pixels.values, grid: [pixels.height, pixels.width], of: 'pixel' } : { values: patches, grid, of: 'patch' };
}

/** The map's raw values at `height`×`width`, as `torch.nn.functional.interpolate(mode='bilinear', align_corners=False)` gives them. */
export function heatField(image: DrawableMap, height: number, width: number): Float32Array {
  const { values, grid } = finestMap(image);
  return upsampleBilinear(values, grid, [height, width]);
}

/** Share of light that a full mask lets through for a strength of 0–1: a little generous, so that middling values are visible. */
export const maskLight = (strength: number): number => strength ** 0.7;

/** How much of a picture a mask hides, 0–1, at a strength of 0–1. */
export const maskAlpha = (strength: number, opacity: number): number => opacity * (1 - maskLight(strength));

/** How much a map covers a picture, 0–1, at a strength of 0–1: blended, nothing where nothing is. */
export const heatAlpha = (method: 'blended' | 'heat', strength: number, opacity: number): number =>
  opacity * (method === 'heat' ? 1 : strength ** 0.6);

/** What the heat layer looks like. */
export interface OverlayStyle {
  readonly method: OverlayMethod;
  readonly map: ColourMap;
  readonly scale: Scale;
  /** 0–1; see `defaultOpacity`. */
  readonly opacity: number;
}

/** Heat as an RGBA layer of `width`×`height`. Outside the model's view it is a grey veil: nothing is claimed there. */
export function overlayLayer(
  image: DrawableMap,
  original: { width: number; height: number },
  width: number,
  height: number,
  style: OverlayStyle,
): Layer {
  const { method, map, scale, opacity } = style;
  const view = viewBox(image, original, width, height);
  const field = heatField(image, view.height, view.width);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const [u, v] = [x - view.left, y - view.top];
      if (u < 0 || v < 0 || u >= view.width || v >= view.height) {
        data.set([128, 130, 134, 190], at);
        continue;
      }
      if (method === 'contour') continue;
      const value = field[v * view.width + u];
      const strength = strengthOf(scale, value);
      if (method === 'masked') {
        data[at + 3] = Math.round(255 * maskAlpha(strength, opacity));
        continue;
      }
      const index = Math.round(positionOf(scale, value) * 255) * 3;
      data[at] = map.table[index];
      data[at + 1] = map.table[index + 1];
      data[at + 2] = map.table[index + 2];
      data[at + 3] = Math.round(255 * heatAlpha(method, strength, opacity));
    }
  }
  return { width, height, data };
}

/** Grey version of a picture (Rec. 709 luma), on which `heat` is laid so that the photo's colours don't mix with the map's. */
export function greyed(picture: RgbImage): RgbImage {
  const data = new Uint8Array(picture.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const luma = 0.2126 * picture.data[i] + 0.7152 * picture.data[i + 1] + 0.0722 * picture.data[i + 2];
    data.fill(Math.round(luma), i, i + 3);
  }
  return { width: picture.width, height: picture.height, data };
}

/** `layer` over `picture` (same size), as sRGB alpha blending. */
export function composite(picture: RgbImage, layer: Layer): RgbImage {
  const data = new Uint8Array(picture.data.length);
  for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
    const alpha = layer.data[j + 3] / 255;
    for (let c = 0; c < 3; c++) data[i + c] = Math.round(picture.data[i + c] * (1 - alpha) + layer.data[j + c] * alpha);
  }
  return { width: picture.width, height: picture.height, data };
}
