/** @file Image files to RGB bytes, with the bytes Pillow's `Image.open(path).convert('RGB')` gives (docs/images.md). */
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { bmpHeader, bmpPixels, isBmp } from './bmp.ts';
import { type CodecHeader, readHeader, readSamples } from './codec.ts';
import { isDicom } from './dicom/dataset.ts';
import { dicomSize, readDicom } from './dicom/read-dicom.ts';
import { wasmCodec } from './dicom/wasm-codecs.ts';
import { isGif, onCanvas, openFirstFrame } from './gif.ts';
import { readImageFile } from './image-file.ts';
import { type ImageReading, type ImageReadOptions, type PictureWarning, sayReading } from './image-reading.ts';
import { checkPixelCount, damagedPicture } from './picture-limits.ts';
import { isPnm, pnmHeader, pnmSamples } from './pnm.ts';
import { type RgbImage, rgbFromBands, rgbFromCmyk } from './rgb-image.ts';
import { isTiff, type TiffTags, tiffTags } from './tiff-tags.ts';
import { checkWindow, narrowSamples, type WideSamples } from './wide-samples.ts';

/** The kinds of picture that are read, in words. */
export const IMAGE_KINDS = 'PNG, JPEG, WebP, GIF, AVIF, TIFF, BMP, PNM (PBM, PGM, PPM) and DICOM';
const FORMATS = new Set(['png', 'jpeg', 'webp', 'gif', 'heif', 'tiff']);

/** A picture from a file, with how it was read. */
export interface DecodedImage extends RgbImage {
  readonly reading: ImageReading;
}

/** A format's own part: size by the header, pixels after the size was found fit. */
interface Opened {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** The file's orientation tag. */
  readonly orientation?: number;
  readonly pages?: number;
  /** Turned by the format's rule, whatever was asked for. */
  readonly turned?: boolean;
  pixels(autoOrient: boolean): Promise<Pixels>;
}

/** Pixels as bytes, or as samples that are still to become bytes. */
type Pixels = RgbImage | { readonly width: number; readonly height: number; readonly bands: number; readonly wide: WideSamples };

const refused = (name: string, what: string, cause?: unknown): NarrowsError =>
  new NarrowsError(`${name} is ${what}; Narrows reads ${IMAGE_KINDS}, so convert it to one of them.`, { cause });

/** @throws NarrowsError for samples that no rule of ours turns into bytes */
function checkSamples(name: string, depth: string, { photometric, compression, sampleFormat = 1 }: TiffTags): void {
  const what =
    sampleFormat === 3 || depth === 'float' || depth === 'double'
      ? 'floating-point numbers'
      : sampleFormat === 2 || depth === 'short' || depth === 'char'
        ? 'signed numbers'
        : depth !== 'uchar' && depth !== 'ushort'
          ? `numbers of kind ${depth}`
          : undefined;
  if (what)
    throw new NarrowsError(`${name} holds ${what}, for which black and white are not defined; save it with 8 or 16 bits per sample.`);
  const unmixed = photometric === 6 && compression !== 7 ? 'YCbCr' : photometric !== undefined && photometric > 7 ? 'CIELAB' : undefined;
  if (unmixed) throw new NarrowsError(`${name} holds ${unmixed} colours, which are not read from a TIFF; save it as RGB.`);
}

/** Opens what libvips decodes. @throws NarrowsError for a file that it does not know, or of a kind that is not read */
async function openWithCodec(name: string, source: Uint8Array): Promise<Opened> {
  const gif = isGif(source) ? openFirstFrame(source) : undefined;
  const bytes = gif?.bytes ?? source;
  const tags = isTiff(bytes) ? tiffTags(bytes) : {};
  if (tags.cut) throw damagedPicture(name, 'a part that its pixels need is missing');
  let header: CodecHeader;
  try {
    // libvips calls colours and samples that it does not know damage.
    if (isTiff(bytes)) checkSamples(name, (tags.bitsPerSample ?? 1) > 16 ? '32 bits' : 'uchar', tags);
    header = await readHeader(bytes);
  } catch (error) {
    if (error instanceof NarrowsError) throw error;
    if (!/unsupported image format/.test(messageOf(error))) throw damagedPicture(name, error);
    throw new NarrowsError(`${name} is not an image Narrows can read, whatever its name says; it reads ${IMAGE_KINDS}.`, { cause: error });
  }
  const { format, compression, width, height, depth, space } = header;
  if (!FORMATS.has(format) || (format === 'heif' && compression !== 'av1')) throw refused(name, `a file of kind ${compression ?? format}`);
  if (format === 'tiff') checkSamples(name, depth, tags);
  const pages = gif ? gif.frames : (header.pages ?? 1);
  return {
    ...(gif?.canvas ?? { width, height }),
    format: format === 'heif' ? 'avif' : format,
    orientation: header.orientation,
    // Pillow, too, shows a TIFF turned by its tag; an AVIF turns itself.
    turned: format === 'tiff',
    ...(pages > 1 ? { pages } : {}),
    async pixels(autoOrient) {
      const samples = await readSamples(bytes, header, autoOrient || format === 'tiff');
      const { data, bands } = samples;
      const size = { width: samples.width, height: samples.height };
      if (data instanceof Uint16Array) {
        // Byte 25 of a PNG is its colour type, 0 for grey; sharp's bands cannot tell grey with a transparent value from grey with alpha.
        const grey = format === 'png' ? bytes[25] === 0 : header.channels === 1;
        const inverted = tags.photometric === 0;
        // libvips turns films whose 0 is white; a window is in the values as they are stored.
        if (inverted) for (let i = 0; i < data.length; i++) data[i] = 65535 - data[i];
        return { ...size, bands, wide: { data, grey, inverted } };
      }
      if (space === 'cmyk') return rgbFromCmyk(size.width, size.height, data);
      const image = rgbFromBands(size.width, size.height, bands, data);
      return gif ? onCanvas(image, gif) : image;
    },
  };
}

function openBmp(bytes: Uint8Array): Opened {
  const header = bmpHeader(bytes);
  const { width, height } = header;
  return { width, height, format: 'bmp', pixels: async () => ({ width, height, data: bmpPixels(bytes, header) }) };
}

function openPnm(bytes: Uint8Array): Opened {
  const header = pnmHeader(bytes);
  const { width, height, bands, maximum } = header;
  return {
    width,
    height,
    format: 'pnm',
    async pixels() {
      const data = pnmSamples(bytes, header);
      if (data instanceof Uint16Array) return { width, height, bands, wide: { data, grey: bands === 1, maximum } };
      return rgbFromBands(width, height, bands, data);
    },
  };
}

/** Reads the header. @throws NarrowsError for an empty, foreign, damaged or too large picture */
async function open(name: string, bytes: Uint8Array, most?: number): Promise<Opened> {
  if (bytes.length === 0) throw new NarrowsError(`${name} is empty (0 bytes); fetch it again or save it anew.`);
  const opener = isBmp(bytes) ? openBmp : isPnm(bytes) ? openPnm : undefined;
  let opened: Opened;
  try {
    opened = opener ? opener(bytes) : await openWithCodec(name, bytes);
  } catch (error) {
    throw opener ? damagedPicture(name, error) : error;
  }
  const { width, height } = opened;
  checkPixelCount(name, width, height, most);
  return opened;
}

const turns = (tag: number | undefined): boolean => tag !== undefined && tag > 1 && tag <= 8;

/**
 * The size of a picture by its header, as `decodeImage` would give it.
 * @throws NarrowsError for a file that is missing, damaged, foreign or too large
 */
export async function imageSize(
  path: string,
  { autoOrient = false, frame }: ImageReadOptions = {},
): Promise<{ width: number; height: number }> {
  const bytes = await readImageFile(path);
  if (isDicom(bytes)) return dicomSize(`Image ${path}`, bytes, { frame });
  const { width, height, orientation, turned } = await open(`Image ${path}`, bytes);
  // Tags 5 to 8 exchange rows and columns.
  const across = turns(orientation) && orientation! > 4 && (autoOrient || turned);
  return across ? { width: height, height: width } : { width, height };
}

/**
 * Decodes PNG, JPEG, WebP, GIF (first frame), AVIF, TIFF, BMP, PNM and DICOM to RGB. Colour profiles are ignored and alpha is dropped, as Pillow does;
 * samples of more than 8 bits become bytes by `options.window`. What was decided stands in the picture's `reading`.
 * @param source a path or the file's bytes.
 * @throws NarrowsError for a missing, empty, damaged, foreign or too large file, or a window out of order.
 * @example
 * const { width, height, data } = await decodeImage('examples/scene.png');
 * console.log(width, height, data.length === 3 * width * height);
 */
export async function decodeImage(source: string | Uint8Array, options: ImageReadOptions = {}): Promise<DecodedImage> {
  const isPath = typeof source === 'string';
  const file = isPath ? source : options.name;
  const name = file === undefined ? 'The image' : `Image ${file}`;
  const { autoOrient = false, window: wanted = 'auto' } = options;
  checkWindow(wanted);
  const bytes = isPath ? await readImageFile(source) : source;
  if (isDicom(bytes)) return finish(await readDicom(name, bytes, { jpeg: decodeJpeg, codec: wasmCodec }, options), name, options);
  const opened = await open(name, bytes, options.maxPixels);
  const views = typeof wanted === 'string' && wanted.startsWith('voi:');
  const window = views ? 'auto' : wanted;
  const pixels = await opened.pixels(autoOrient).catch((error: unknown) => {
    throw damagedPicture(name, error);
  });
  const { format, pages, orientation } = opened;
  const warnings: PictureWarning[] = [];
  const applied = autoOrient || (opened.turned ?? false);
  if (turns(orientation) && !applied)
    warnings.push({
      kind: 'orientation',
      message: `its orientation tag (EXIF) is ${orientation}, so viewers show it turned, but it is read as it is stored; --auto-orient turns it upright.`,
    });
  if (views) warnings.push({ kind: 'window', message: `it is no DICOM file, so it has no ${wanted}; its samples were read as by auto.` });
  if (options.frame !== undefined && options.frame !== 1)
    warnings.push({
      kind: 'window',
      message: `--frame belongs to DICOM files, so its first picture was read, not number ${options.frame}.`,
    });
  const facts = {
    format,
    ...(turns(orientation) ? { orientation: { tag: orientation!, applied } } : {}),
    ...(pages === undefined ? {} : { pages }),
  };
  const { width, height } = pixels;
  if (!('wide' in pixels)) {
    if (typeof window !== 'string')
      warnings.push({ kind: 'window', message: `it has 8 bits per sample, so the window ${window.join(',')} was not applied to it.` });
    return finish({ width, height, data: pixels.data, reading: { ...facts, bits: 8, warnings } }, name, options);
  }
  const narrow = narrowSamples(pixels.wide, window);
  const image = rgbFromBands(width, height, pixels.bands, narrow.data);
  const bits = Math.ceil(Math.log2((pixels.wide.maximum ?? 65535) + 1));
  const reading = { ...facts, bits, window: narrow.window, clipped: narrow.clipped, warnings: [...warnings, ...narrow.warnings] };
  return finish({ width, height, data: image.data, reading }, name, options);
}

/** Baseline JPEG inside of a DICOM file. */
const decodeJpeg = async (bytes: Uint8Array) => readSamples(bytes, await readHeader(bytes), false);

function finish(image: DecodedImage, name: string, options: ImageReadOptions): DecodedImage {
  sayReading(name, image.reading, options);
  return image;
}
