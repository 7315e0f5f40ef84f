/** @file How a decoded picture is resized for display and encoded again. */

import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { base64 } from '../../system/bytes.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Pixels with transparency: 8-bit RGBA, not premultiplied. */
export interface Layer {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** @throws NarrowsError when the bytes are not `width * height * 3`. */
export function checkPicture(picture: RgbImage): void {
  const { width, height, data } = picture;
  if (!(width > 0 && height > 0) || data.length !== width * height * 3) {
    throw new NarrowsError(`A picture of ${width}×${height} pixels needs ${width * height * 3} RGB bytes, not ${data.length}.`);
  }
}

/** How pictures are resized for display and encoded; Node's is `sharpCodec`. */
export interface PictureCodec {
  /** The picture at exactly `width`×`height`. */
  resize(picture: RgbImage, width: number, height: number, kernel: 'nearest' | 'lanczos3'): Promise<RgbImage>;
  /** File bytes: `png` small, `fast-png` quickly made; `jpeg` without chroma subsampling and `webp` (lossy) of RGB. */
  encode(picture: RgbImage | Layer, format: 'png' | 'fast-png' | 'jpeg' | 'webp'): Promise<Uint8Array>;
}

/**
 * The picture at `width`×`height` for display: enlarged more than `crisp` times it keeps its pixels' edges, otherwise Lanczos.
 * Not for a model's eyes: models see Pillow's resizing (src/inputs/image).
 */
export async function resizeForDisplay(
  codec: PictureCodec,
  picture: RgbImage,
  width: number,
  height: number,
  crisp = 4,
): Promise<RgbImage> {
  checkPicture(picture);
  if (width === picture.width && height === picture.height) return picture;
  const kernel = Math.min(width / picture.width, height / picture.height) > crisp ? 'nearest' : 'lanczos3';
  return codec.resize(picture, width, height, kernel);
}

const uri = (type: string, bytes: Uint8Array): string => `data:image/${type};base64,${base64(bytes)}`;

/**
 * `data:` URI of a picture: `exact` is PNG; `fast` is PNG too, for something rendered at once; `photo` is JPEG where that is clearly smaller;
 * `small` is WebP where that is smaller (about an eighth of PNG), for pages that hold hundreds.
 */
export async function dataUri(codec: PictureCodec, picture: RgbImage | Layer, kind: 'photo' | 'exact' | 'fast' | 'small'): Promise<string> {
  const png = await codec.encode(picture, kind === 'fast' ? 'fast-png' : 'png');
  if (kind === 'photo') {
    const jpeg = await codec.encode(picture, 'jpeg');
    if (jpeg.length < 0.7 * png.length) return uri('jpeg', jpeg);
  }
  if (kind === 'small') {
    const webp = await codec.encode(picture, 'webp');
    if (webp.length < png.length) return uri('webp', webp);
  }
  return uri('png', png);
}
