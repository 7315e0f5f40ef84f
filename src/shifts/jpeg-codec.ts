/** @file Node's JPEG codec for jpeg_compression. */
import { decodeImage } from '../inputs/image/decode.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { sharp } from '../node/sharp.ts';

/** Saves as Pillow does by default (baseline, 4:2:0, the standard's tables, no clever quantisation) and reads again. @param quality 1 to 100 */
export async function saveAsJpeg({ width, height, data }: RgbImage, quality: number): Promise<RgbImage> {
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({
      quality,
      chromaSubsampling: '4:2:0',
      progressive: false,
      mozjpeg: false,
      trellisQuantisation: false,
      overshootDeringing: false,
      optimiseScans: false,
      optimiseCoding: false,
      quantisationTable: 0,
    })
    .toBuffer();
  return decodeImage(bytes);
}
