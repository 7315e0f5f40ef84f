/** @file Node's picture codec: sharp behind the interface that figures and pages are drawn with. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { sharp } from '../../node/sharp.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Layer, PictureCodec } from './picture.ts';

/** How lasting PNG files are written: adaptive filters make photographs a third smaller. */
export const PNG = { compressionLevel: 6, adaptiveFiltering: true } as const;
/** Of WebP: maps and photographs at this quality show no difference at gallery size. */
const WEBP = { quality: 88, smartSubsample: true, effort: 4 } as const;

const raw = ({ width, height, data }: RgbImage | Layer) =>
  sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
    raw: { width, height, channels: data.length === width * height * 4 ? 4 : 3 },
    limitInputPixels: false,
  });

/** Pictures through sharp. */
export const sharpCodec = {
  async resize(picture: RgbImage, width: number, height: number, kernel: 'nearest' | 'lanczos3'): Promise<RgbImage> {
    const data = await raw(picture).resize(width, height, { fit: 'fill', kernel }).removeAlpha().toColourspace('srgb').raw().toBuffer();
    return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  },
  encode(picture: RgbImage | Layer, format: 'png' | 'fast-png' | 'jpeg' | 'webp'): Promise<Uint8Array> {
    if (format === 'jpeg') return raw(picture).jpeg({ quality: 92, chromaSubsampling: '4:4:4' }).toBuffer();
    if (format === 'webp') return raw(picture).webp(WEBP).toBuffer();
    return raw(picture)
      .png(format === 'fast-png' ? { compressionLevel: 1 } : PNG)
      .toBuffer();
  },
} satisfies PictureCodec;

/** RGB pixels of a PNG or WebP `data:` URI that `dataUri` made. @throws NarrowsError for anything else */
export async function pictureOf(source: string): Promise<RgbImage> {
  const [head, text] = source.split(',', 2);
  if (!/^data:image\/(png|webp);base64$/.test(head)) throw new NarrowsError('A picture in the file is no data URL of a PNG or WebP image.');
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
