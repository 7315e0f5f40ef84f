/** @file Image files to RGB bytes through sharp, with the bytes Pillow's `Image.open(path).convert('RGB')` gives (docs/images.md). */
import { readFile, stat } from '../../node/disk.ts';
import { type Metadata, sharp } from '../../node/sharp.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { fillAround, openFirstFrame } from './gif.ts';
import { type RgbImage, rgbFromBands, rgbFromCmyk, rgbFromWide } from './rgb-image.ts';

/** Most pixels a picture may have: where Pillow, too, refuses as a possible decompression bomb (512 MB of RGB). */
const MAX_PIXELS = 178_956_970;
const KINDS = 'PNG, JPEG, WebP, GIF and AVIF';
const FORMATS = new Set(['png', 'jpeg', 'webp', 'gif', 'heif']);
const READ_ERRORS: Record<string, string> = {
  ENOENT: 'does not exist; check the path',
  ENOTDIR: 'does not exist: a part of the path is a file; check the path',
  EACCES: 'may not be read; check its permissions',
  EPERM: 'may not be read; check its permissions',
};

async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new NarrowsError(`Image ${path} is a directory; give the path of an image file.`);
    if (info.isCharacterDevice() || info.isBlockDevice())
      throw new NarrowsError(`Image ${path} is a device; give the path of an image file.`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof NarrowsError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new NarrowsError(`Image ${path} ${READ_ERRORS[code] ?? `cannot be read (${messageOf(error)})`}.`, { cause: error });
  }
}

function damaged(name: string, error: unknown): NarrowsError {
  // libvips repeats itself over many lines; its first one says what happened.
  const reason = messageOf(error)
    .replace(/^Input buffer has corrupt header:\s*/, '')
    .split('\n')[0]
    .trim();
  return new NarrowsError(`${name} is damaged or cut short${reason ? ` (${reason})` : ''}; fetch it again or save it anew.`, {
    cause: error,
  });
}

/** Reads the header only: what kind of file it is and how large, before anything is allocated. */
async function inspect(name: string, bytes: Uint8Array): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    if (!/unsupported image format/.test(messageOf(error))) throw damaged(name, error);
    throw new NarrowsError(`${name} is not an image Narrows can read, whatever its name says; it reads ${KINDS}.`, { cause: error });
  }
  const { format, compression, width, height } = metadata;
  if (!FORMATS.has(format) || (format === 'heif' && compression !== 'av1')) {
    throw new NarrowsError(`${name} is a file of kind ${compression ?? format}; Narrows reads ${KINDS}, so convert it to one of them.`);
  }
  if (width * height > MAX_PIXELS) {
    const millions = Math.round((width * height) / 1e6);
    throw new NarrowsError(
      `${name} is ${width} x ${height}, ${millions} million pixels; the limit is ${MAX_PIXELS}, so scale it down first.`,
    );
  }
  return metadata;
}

/** Runs sharp with the strictness Pillow has: cut or broken data is an error, stray bytes between JPEG markers are not. */
async function toRaw(bytes: Uint8Array, metadata: Metadata, autoOrient: boolean, failOn: 'warning' | 'error') {
  const image = sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: false, autoOrient });
  const wide = metadata.depth === 'ushort';
  if (metadata.space === 'cmyk') image.pipelineColourspace('cmyk').toColourspace('cmyk');
  else image.toColourspace(wide || metadata.space === 'b-w' ? metadata.space : 'srgb');
  return await image.raw({ depth: wide ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
}

/**
 * Decodes PNG, JPEG, WebP, GIF (first frame) and AVIF to RGB. Colour profiles are ignored and alpha is dropped, as Pillow does.
 * @param source a path or the file's bytes.
 * @param options.autoOrient turn the picture as its EXIF orientation says (default: leave it as stored, as Pillow does).
 * @throws NarrowsError for a missing, empty, damaged, foreign or too large file.
 */
export async function decodeImage(source: string | Uint8Array, options: { autoOrient?: boolean } = {}): Promise<RgbImage> {
  const isPath = typeof source === 'string';
  const name = isPath ? `Image ${source}` : 'The image';
  let bytes = isPath ? await readImageFile(source) : source;
  if (bytes.length === 0) throw new NarrowsError(`${name} is empty (0 bytes); fetch it again or save it anew.`);
  const metadata = await inspect(name, bytes);
  const gif = metadata.format === 'gif' ? openFirstFrame(bytes) : undefined;
  if (gif) bytes = gif.bytes;

  const decode = (failOn: 'warning' | 'error') => toRaw(bytes, metadata, options.autoOrient ?? false, failOn);
  const { data, info } = await decode(metadata.format === 'jpeg' ? 'warning' : 'error')
    .catch((error: unknown) => {
      if (/extraneous bytes/.test(messageOf(error))) return decode('error');
      throw error;
    })
    .catch((error: unknown) => {
      throw damaged(name, error);
    });

  const { width, height, channels } = info;
  if (metadata.space === 'cmyk') return rgbFromCmyk(width, height, data);
  if (metadata.depth === 'ushort') {
    // Byte 25 of a PNG is its colour type, 0 for grey; sharp's bands cannot tell grey with a transparent value from grey with alpha.
    const greyAlone = metadata.format === 'png' && bytes[25] === 0;
    return rgbFromWide(width, height, channels, new Uint16Array(data.buffer, data.byteOffset, data.length / 2), greyAlone);
  }
  const image = rgbFromBands(width, height, channels, new Uint8Array(data.buffer, data.byteOffset, data.length));
  if (gif) fillAround(image, gif);
  return image;
}
