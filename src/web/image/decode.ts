/** @file Picture files to RGB bytes in a page: where the bytes come from. How they are decoded (decode-bytes.ts) is loaded with the first picture. */
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { DecodedImage } from './decode-bytes.ts';

export type { DecodedImage };

/** Most bytes of a picture's file: what any picture within the limit of pixels may have. */
export const MAX_BYTES = 512 * 2 ** 20;
/** The bytes of a picture's file. @throws NarrowsError where they cannot be had or are too many */
async function bytesOf(name: string, source: Blob | URL | string | Uint8Array): Promise<Uint8Array> {
  const limit = (bytes: number): void => {
    if (bytes > MAX_BYTES) throw new NarrowsError(`${name} has ${Math.round(bytes / 2 ** 20)} MB; the limit is ${MAX_BYTES / 2 ** 20}.`);
  };
  if (source instanceof Uint8Array) {
    limit(source.length);
    return source;
  }
  if (source instanceof Blob) {
    limit(source.size);
    return new Uint8Array(
      await source.arrayBuffer().catch(error => {
        throw new NarrowsError(`${name} cannot be read (${messageOf(error)}); choose it again.`, { cause: error });
      }),
    );
  }
  const { bodyPieces, fetchPiece } = await import('../files/fetch-range.ts');
  const url = new URL(source, (globalThis as { location?: Location }).location?.href).href;
  const { response, total } = await fetchPiece(url, undefined);
  if (total !== undefined) limit(total);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of bodyPieces(url, response)) {
    parts.push(new Uint8Array(part));
    length += part.length;
    limit(length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const lastPart = (address: string): string => address.split(/[?#]/)[0].split('/').at(-1) || address;

/** What messages call a source, where it has a name. */
function nameOf(source: Blob | URL | string | Uint8Array): string | undefined {
  if (source instanceof Blob) return (source as Partial<File>).name;
  return source instanceof Uint8Array ? undefined : lastPart(String(source));
}

/**
 * Decodes PNG, JPEG, WebP, GIF (first frame), AVIF, BMP, PNM and DICOM to RGB, in a page or its worker. Colour profiles are ignored and alpha is
 * dropped, as Pillow does; samples of more than 8 bits become bytes by `options.window`. What was decided stands in the picture's `reading`, and
 * where the bytes may differ from Pillow's, `reading.approximate` and a warning say so.
 * @param source a file, an address, or a file's bytes
 * @throws NarrowsError for what is empty, damaged, foreign, too large or cannot be had, or a window out of order
 */
export async function decodeImage(source: Blob | URL | string | Uint8Array, options: ImageReadOptions = {}): Promise<DecodedImage> {
  const given = options.name ?? nameOf(source);
  const name = given ? `Image ${given}` : 'The image';
  const [bytes, { decodeBytes }] = await Promise.all([bytesOf(name, source), import('./decode-bytes.ts')]);
  return decodeBytes(name, bytes, options);
}
