/** @file How a decoded picture is resized for display and encoded again. */

import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { sharp } from '../../node/sharp.ts';
import { NarrowsError } from '../../system/errors.ts';

/** How lasting PNG files are written: adaptive filters make photographs a third smaller. */
export const PNG = { compressionLevel: 6, adaptiveFiltering: true } as const;

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

const raw = ({ width, height, data }: RgbImage | Layer, channels: 3 | 4) =>
  sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), { raw: { width, height, channels }, limitInputPixels: false });

/**
 * The picture at `width`×`height` for display: enlarged more than `crisp` times it keeps its pixels' edges, otherwise Lanczos.
 * Not for a model's eyes: models see Pillow's resizing (src/inputs/image).
 */
export async function resizeForDisplay(picture: RgbImage, width: number, height: number, crisp = 4): Promise<RgbImage> {
  checkPicture(picture);
  if (width === picture.width && height === picture.height) return picture;
  const kernel = Math.min(width / picture.width, height / picture.height) > crisp ? 'nearest' : 'lanczos3';
  const data = await raw(picture, 3).resize(width, height, { fit: 'fill', kernel }).removeAlpha().toColourspace('srgb').raw().toBuffer();
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** PNG bytes of a picture or a layer: small, or (`fast`) quickly made for something that is rendered again at once. */
export const encodePng = (picture: RgbImage | Layer, fast = false): Promise<Uint8Array> =>
  raw(picture, picture.data.length === picture.width * picture.height * 4 ? 4 : 3)
    .png(fast ? { compressionLevel: 1 } : PNG)
    .toBuffer();

/** Of WebP: maps and photographs at this quality show no difference at gallery size. */
const WEBP = { quality: 88, smartSubsample: true, effort: 4 } as const;

const uri = (type: string, bytes: Uint8Array): string => `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;

/**
 * `data:` URI of a picture: `exact` is PNG; `fast` is PNG too, for something rendered at once; `photo` is JPEG where that is clearly smaller;
 * `small` is WebP where that is smaller (about an eighth of PNG), for pages that hold hundreds.
 */
export async function dataUri(picture: RgbImage | Layer, kind: 'photo' | 'exact' | 'fast' | 'small'): Promise<string> {
  const png = await encodePng(picture, kind === 'fast');
  if (kind === 'photo') {
    const jpeg = await raw(picture, 3).jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
    if (jpeg.length < 0.7 * png.length) return uri('jpeg', jpeg);
  }
  if (kind === 'small') {
    const webp = await raw(picture, 3).webp(WEBP).toBuffer();
    if (webp.length < png.length) return uri('webp', webp);
  }
  return uri('png', png);
}

/** RGB pixels of a PNG `data:` URI that `dataUri` made. @throws NarrowsError for anything else */
export async function pictureOf(source: string): Promise<RgbImage> {
  const [head, text] = source.split(',', 2);
  if (head !== 'data:image/png;base64') throw new NarrowsError('A picture in the file is no data URL of a PNG image.');
  const { data, info } = await sharp(Buffer.from(text ?? '', 'base64'))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(cause => {
      throw new NarrowsError('A picture in the file cannot be decoded.', { cause });
    });
  return { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
