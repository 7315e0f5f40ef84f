/** @file A page's picture codec: Pillow's resizing, PNG by hand, JPEG and WebP by a canvas. For figures and pages (report/attribution). */
import { resizeImage } from '../inputs/image/resize.ts';
import { type RgbImage, rgbFromBands } from '../inputs/image/rgb-image.ts';
import type { Layer, PictureCodec } from '../report/attribution/picture.ts';
import { NarrowsError } from '../system/errors.ts';
import { encodePng } from './image/encode-png.ts';

const QUALITY = { jpeg: 0.92, webp: 0.88 } as const;

/** A picture or layer on a canvas of its size. */
export function onCanvas({ width, height, data }: RgbImage | Layer): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new NarrowsError('This browser gives no canvas to draw with; restart it.');
  const bands = data.length / (width * height);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0, from = 0; i < rgba.length; i += 4, from += bands) {
    rgba[i] = data[from];
    rgba[i + 1] = data[from + 1];
    rgba[i + 2] = data[from + 2];
    rgba[i + 3] = bands === 4 ? data[from + 3] : 255;
  }
  context.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/** Pictures by what every browser has. A browser that writes no WebP gives PNG in its place, which is larger and shows the same. */
export const canvasCodec: PictureCodec = {
  async resize(picture, width, height, kernel) {
    return resizeImage(picture, width, height, kernel === 'nearest' ? 'nearest' : 'lanczos');
  },
  async encode(picture, format) {
    const { width, height, data } = picture;
    if (format === 'png' || format === 'fast-png') return encodePng(width, height, data, format === 'fast-png');
    const type = `image/${format}`;
    const opaque = rgbFromBands(width, height, data.length / (width * height), data);
    const blob = await onCanvas(opaque).convertToBlob({ type, quality: QUALITY[format] });
    return blob.type === type ? new Uint8Array(await blob.arrayBuffer()) : encodePng(width, height, opaque.data);
  },
};
