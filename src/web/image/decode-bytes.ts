/**
 * @file Picture files to RGB bytes in a page. PNG, BMP, PNM and GIF come as Pillow reads them; JPEG and WebP through the browser's decoder, whose
 * bytes are Pillow's where a probe says so; everything else is called approximate.
 */
import { bmpHeader, bmpPixels, isBmp } from '../../inputs/image/bmp.ts';
import type { LoadCodec } from '../../inputs/image/dicom/codecs.ts';
import { isDicom } from '../../inputs/image/dicom/dataset.ts';
import type { JpegDecoder } from '../../inputs/image/dicom/frame.ts';
import { turned, turns } from '../../inputs/image/exif.ts';
import { isGif, onCanvas, openFirstFrame } from '../../inputs/image/gif.ts';
import { type ImageReading, type ImageReadOptions, type PictureWarning, sayReading } from '../../inputs/image/image-reading.ts';
import { checkPixelCount, damagedPicture } from '../../inputs/image/picture-limits.ts';
import { isPnm, pnmHeader, pnmSamples } from '../../inputs/image/pnm.ts';
import { type RgbImage, rgbFromBands } from '../../inputs/image/rgb-image.ts';
import { isTiff } from '../../inputs/image/tiff-tags.ts';
import { checkWindow, narrowSamples, type WideSamples } from '../../inputs/image/wide-samples.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { avifSize, isAvif } from './avif.ts';
import { isJpeg, jpegHeader } from './jpeg.ts';
import { nativePixels, nativePixelsUnderAlpha } from './native.ts';
import { isPng, pngHeader, pngSamples, withoutAlpha } from './png.ts';
import { decodesAsPillow } from './probes.ts';
import { isWebp, webpHeader } from './webp.ts';

/** The kinds of picture that are read in a page, in words. */
const KINDS = 'PNG, JPEG, WebP, GIF, AVIF, BMP, PNM (PBM, PGM, PPM) and DICOM';

/** A picture from a file, with how it was read. */
export interface DecodedImage extends RgbImage {
  readonly reading: ImageReading;
}

/** A format's own part: size by the header, pixels after the size was found fit. */
interface Opened {
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly orientation?: number;
  readonly pages?: number;
  /** The browser's decoder turns it by itself. */
  readonly upright?: boolean;
  pixels(): Promise<Pixels>;
  /** Why the bytes may not be Pillow's; undefined where they are. */
  approximate?(): Promise<string | undefined>;
}

/** Pixels as bytes, or as samples that are still to become bytes. */
type Pixels = RgbImage | { readonly width: number; readonly height: number; readonly bands: number; readonly wide: WideSamples };

function openPng(bytes: Uint8Array): Opened {
  const header = pngHeader(bytes);
  const { width, height, orientation, colour } = header;
  return {
    ...{ width, height, orientation, format: 'png' },
    async pixels() {
      const { bands, data } = withoutAlpha(await pngSamples(header));
      if (data instanceof Uint16Array) return { width, height, bands, wide: { data, grey: colour === 0 } };
      return rgbFromBands(width, height, bands, data);
    },
  };
}

function openJpeg(bytes: Uint8Array): Opened {
  const { width, height, orientation, components, plain } = jpegHeader(bytes);
  return {
    ...{ width, height, orientation, format: 'jpeg' },
    pixels: () => nativePixels(plain, 'image/jpeg'),
    async approximate() {
      if (components === 4) return 'it holds four inks (CMYK), which browsers mix in their own way';
      return (await decodesAsPillow('jpeg')) ? undefined : "this browser's JPEG decoder rounds otherwise";
    },
  };
}

function openWebp(bytes: Uint8Array): Opened {
  const { width, height, orientation, animated, alpha, plain } = webpHeader(bytes);
  let mixed = false;
  return {
    ...{ width, height, orientation, format: 'webp', upright: animated },
    async pixels() {
      const under = alpha ? await nativePixelsUnderAlpha(plain, 'image/webp') : undefined;
      mixed = alpha && !under;
      return under ?? nativePixels(plain, 'image/webp');
    },
    async approximate() {
      if (mixed) return 'it is transparent, and this browser has no WebGL with which to read the colours underneath';
      if (animated) return 'it is animated, and what lies under transparent parts of its first picture is lost';
      return (await decodesAsPillow(alpha ? 'webp without loss' : 'webp')) ? undefined : "this browser's WebP decoder rounds otherwise";
    },
  };
}

function openGif(bytes: Uint8Array): Opened {
  const gif = openFirstFrame(bytes);
  if (!gif) throw new NarrowsError('its first picture is not whole');
  return {
    ...{ ...gif.canvas, format: 'gif' },
    ...(gif.frames > 1 ? { pages: gif.frames } : {}),
    pixels: async () => onCanvas(await nativePixels(new Uint8Array(gif.bytes), 'image/gif'), gif),
  };
}

function openAvif(bytes: Uint8Array): Opened {
  return {
    ...{ ...avifSize(bytes), format: 'avif', upright: true },
    pixels: () => nativePixels(new Uint8Array(bytes), 'image/avif'),
    approximate: async () => "browsers' AVIF decoders round otherwise",
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
    ...{ width, height, format: 'pnm' },
    async pixels() {
      const data = pnmSamples(bytes, header);
      if (data instanceof Uint16Array) return { width, height, bands, wide: { data, grey: bands === 1, maximum } };
      return rgbFromBands(width, height, bands, data);
    },
  };
}

const OPENERS: readonly (readonly [is: (bytes: Uint8Array) => boolean, open: (bytes: Uint8Array) => Opened])[] = [
  [isPng, openPng],
  [isJpeg, openJpeg],
  [isWebp, openWebp],
  [isGif, openGif],
  [isAvif, openAvif],
  [isBmp, openBmp],
  [isPnm, openPnm],
];

function open(name: string, bytes: Uint8Array): Opened {
  if (bytes.length === 0) throw new NarrowsError(`${name} is empty (0 bytes); fetch it again or save it anew.`);
  const [, opener] = OPENERS.find(([is]) => is(bytes)) ?? [];
  if (!opener) {
    const what = isTiff(bytes) ? 'a TIFF, which a page does not read' : 'not an image a page can read, whatever its name says';
    throw new NarrowsError(`${name} is ${what}; it reads ${KINDS}, so convert it to one of them (PNG keeps every value).`);
  }
  try {
    const opened = opener(bytes);
    checkPixelCount(name, opened.width, opened.height);
    return opened;
  } catch (error) {
    throw error instanceof NarrowsError && error.message.startsWith(name) ? error : damagedPicture(name, error);
  }
}

/** OpenJPEG and CharLS in one piece each. */
const pageCodec: LoadCodec = kind =>
  kind === 'jpeg-2000' ? import('@cornerstonejs/codec-openjpeg/decode') : import('@cornerstonejs/codec-charls/decode');

const approximately = (why: string): PictureWarning => ({
  kind: 'decoder',
  message: `its pixels are approximate, since ${why}; save it as PNG for the bytes that Python reads.`,
});

/** A frame of baseline JPEG inside of a DICOM file. */
async function jpegFrame(bytes: Uint8Array) {
  const { components, plain } = jpegHeader(bytes);
  const { width, height, data } = await nativePixels(plain, 'image/jpeg');
  // The browser shows grey as three equal colours.
  return components === 1 ? { width, height, bands: 1, data: data.filter((_, i) => i % 3 === 0) } : { width, height, bands: 3, data };
}

/**
 * Decodes a file's bytes; see `decodeImage`.
 * @param name how sentences begin: `Image film.png`
 * @throws NarrowsError for what is empty, damaged, foreign or too large, or a window out of order
 */
export async function decodeBytes(name: string, bytes: Uint8Array, options: ImageReadOptions): Promise<DecodedImage> {
  const { autoOrient = false, window: wanted = 'auto' } = options;
  checkWindow(wanted);
  if (isDicom(bytes)) {
    const { readDicom } = await import('../../inputs/image/dicom/read-dicom.ts');
    let decoder: PictureWarning | undefined;
    const jpeg: JpegDecoder = async frame => {
      if (!(await decodesAsPillow('jpeg'))) decoder = approximately("this browser's JPEG decoder rounds otherwise");
      return jpegFrame(frame);
    };
    const read = await readDicom(name, bytes, { jpeg, codec: pageCodec }, options);
    const { reading } = read;
    const film = decoder
      ? { ...read, reading: { ...reading, approximate: true as const, warnings: [...reading.warnings, decoder] } }
      : read;
    sayReading(name, film.reading, options);
    return film;
  }
  const views = typeof wanted === 'string' && wanted.startsWith('voi:');
  const window = views ? 'auto' : wanted;
  const opened = open(name, bytes);
  const pixels = await opened.pixels().catch((error: unknown) => {
    throw damagedPicture(
      name,
      error instanceof NarrowsError ? error : new NarrowsError(messageOf(error) || 'the browser refuses it', { cause: error }),
    );
  });
  const { format, pages, orientation, upright } = opened;
  const warnings: PictureWarning[] = [];
  const applied = autoOrient && !upright;
  if (turns(orientation) && !applied && !upright)
    warnings.push({
      kind: 'orientation',
      message: `its orientation tag (EXIF) is ${orientation}, so viewers show it turned, but it is read as it is stored; autoOrient turns it upright.`,
    });
  if (views) warnings.push({ kind: 'window', message: `it is no DICOM file, so it has no ${wanted}; its samples were read as by auto.` });
  const why = await opened.approximate?.();
  if (why !== undefined) warnings.push(approximately(why));
  const facts = {
    format,
    ...(turns(orientation) && !upright ? { orientation: { tag: orientation, applied } } : {}),
    ...(pages === undefined ? {} : { pages }),
    ...(why === undefined ? {} : { approximate: true as const }),
  };
  const upright8 = (image: RgbImage): RgbImage => (applied && turns(orientation) ? turned(image, orientation) : image);
  let decoded: DecodedImage;
  if ('wide' in pixels) {
    const narrow = narrowSamples(pixels.wide, window);
    const image = upright8(rgbFromBands(pixels.width, pixels.height, pixels.bands, narrow.data));
    const bits = Math.ceil(Math.log2((pixels.wide.maximum ?? 65535) + 1));
    const reading = { ...facts, bits, window: narrow.window, clipped: narrow.clipped, warnings: [...warnings, ...narrow.warnings] };
    decoded = { ...image, reading };
  } else {
    if (typeof window !== 'string')
      warnings.push({ kind: 'window', message: `it has 8 bits per sample, so the window ${window.join(',')} was not applied to it.` });
    decoded = { ...upright8(pixels), reading: { ...facts, bits: 8, warnings } };
  }
  sayReading(name, decoded.reading, options);
  return decoded;
}
