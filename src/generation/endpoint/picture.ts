/** @file Pictures as data URIs, the one way in which they reach an endpoint. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { sharp } from '../../node/sharp.ts';
import { NarrowsError } from '../../system/errors.ts';

const starts = (bytes: Uint8Array, signature: readonly number[], at = 0): boolean => signature.every((byte, i) => bytes[at + i] === byte);

/** The media type of bytes that every endpoint reads: PNG, JPEG, GIF, WebP; undefined for anything else. */
export function mediaType(bytes: Uint8Array): string | undefined {
  if (starts(bytes, [0x89, 0x50, 0x4e, 0x47])) return 'image/png';
  if (starts(bytes, [0xff, 0xd8, 0xff])) return 'image/jpeg';
  if (starts(bytes, [0x47, 0x49, 0x46, 0x38])) return 'image/gif';
  if (starts(bytes, [0x52, 0x49, 0x46, 0x46]) && starts(bytes, [0x57, 0x45, 0x42, 0x50], 8)) return 'image/webp';
  return undefined;
}

/**
 * A picture as a data URI: encoded bytes as they are, pixels as a PNG, which loses nothing.
 * @throws NarrowsError for encoded bytes of a kind that endpoints do not read: decode them and give the pixels
 */
export async function pictureUri(picture: Uint8Array | RgbImage): Promise<string> {
  const bytes = picture instanceof Uint8Array ? picture : await encode(picture);
  const type = mediaType(bytes);
  if (type === undefined)
    throw new NarrowsError('The picture is no PNG, JPEG, GIF or WebP, which is what endpoints read; give its pixels.');
  return `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}

const encode = ({ data, width, height }: RgbImage): Promise<Uint8Array> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
