/** @file A DICOM file to a picture: bytes as a screen would show them, and what may be said of the file without naming a patient. */
import { NarrowsError } from '../../../system/errors.ts';
import { sha256Hex } from '../../../system/sha256.ts';
import type { DicomReading, ImageReading, ImageReadOptions, PictureWarning } from '../image-reading.ts';
import type { RgbImage } from '../rgb-image.ts';
import { checkWindow } from '../wide-samples.ts';
import { type DicomHeader, readHeader } from './dataset.ts';
import { type DicomFrame, type FrameDecoders, readFrame } from './frame.ts';
import { keptTags } from './kept-tags.ts';
import { modalityValues, type View, viewFault, viewsOf, viewValues, windowEnds } from './values.ts';

/** A DICOM picture, with how it was read. */
export interface DicomImage extends RgbImage {
  readonly reading: ImageReading;
}

/** Most pixels of a frame: as for every other picture. */
const MAX_PIXELS = 178_956_970;

/** Picks the frame. @throws NarrowsError where there are several and none was named, or there is no such frame */
function frameIndex(name: string, { frames }: DicomHeader, frame: number | undefined): number {
  if (frame === undefined) {
    if (frames > 1)
      throw new NarrowsError(`${name} is a DICOM file of ${frames} frames; say which one is meant with --frame N, from 1 to ${frames}.`);
    return 0;
  }
  if (frame > frames || frame < 1)
    throw new NarrowsError(
      `${name} is a DICOM file of ${frames === 1 ? 'one frame' : `${frames} frames`}, so there is no frame ${frame}.`,
      { kind: 'usage' },
    );
  return frame - 1;
}

/** Opens a file and checks its size. @param name how sentences begin */
async function open(
  name: string,
  bytes: Uint8Array,
  { frame, maxPixels = MAX_PIXELS }: ImageReadOptions,
): Promise<{ header: DicomHeader; index: number }> {
  const header = await readHeader(name, bytes);
  const { rows, columns } = header;
  if (rows * columns > maxPixels)
    throw new NarrowsError(`${name} is ${columns} x ${rows}; the limit is ${maxPixels} pixels, so scale it down first.`);
  return { header, index: frameIndex(name, header, frame) };
}

/** The size of a DICOM picture by its header. @throws NarrowsError as `readDicom` */
export async function dicomSize(name: string, bytes: Uint8Array, options: ImageReadOptions): Promise<{ width: number; height: number }> {
  const { header } = await open(name, bytes, options);
  return { width: header.columns, height: header.rows };
}

/** Numbers to bytes between two that are black and white. */
const toBytes = (data: Float64Array, [low, high]: readonly [number, number]): Uint8Array =>
  Uint8Array.from(data, v => (high > low ? Math.min(255, Math.max(0, Math.round((255 * (v - low)) / (high - low)))) : 0));

function leastAndMost(values: Float64Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < least) least = v;
    if (v > most) most = v;
  }
  return [least, most];
}

/** Bytes, one per sample, and how they came about. */
type GreyBytes = Pick<ImageReading, 'window' | 'clipped'> & {
  readonly data: Uint8Array;
  readonly warnings: PictureWarning[];
  readonly view?: DicomReading['view'];
};

/** Grey values to bytes, by the window that was asked for, else by the file's first view, else by the values that are there. */
function greyBytes(name: string, header: DicomHeader, frame: DicomFrame, { window = 'auto' }: ImageReadOptions): GreyBytes {
  const values = modalityValues(frame.values, header);
  const warnings: PictureWarning[] = [];
  const views = viewsOf(header);
  const shown = (view: View, number: number): GreyBytes => {
    const { data, range } = viewValues(values, header, view);
    const what = header.windows[view.index]?.explanation;
    // A window's own name is a few capitals; anything longer might be anybody's words.
    const label = view.kind === 'window' && what && /^[A-Z0-9 _-]{1,16}$/.test(what) ? what : undefined;
    const ends = view.kind === 'window' ? windowEnds(header, view.index) : undefined;
    return {
      data: toBytes(data, range),
      warnings,
      view: { kind: view.kind, number, of: views.length, ...(label ? { label } : {}) },
      ...(ends ? { window: { rule: 'file' as const, low: ends[0], high: ends[1] }, clipped: shareBeyond(values, ends) } : {}),
    };
  };
  const between = (rule: 'auto' | 'given', ends: readonly [number, number]): GreyBytes => ({
    data: toBytes(values, ends),
    warnings,
    window: { rule, low: ends[0], high: ends[1] },
    clipped: shareBeyond(values, ends),
  });
  if (typeof window !== 'string') return between('given', window);
  if (window.startsWith('voi:')) {
    const number = Number(window.slice(4));
    const view = views[number - 1];
    if (!view)
      throw new NarrowsError(
        `${name} has ${views.length === 0 ? 'no window or VOI table' : `${views.length} of windows and VOI tables`}, so there is no ${window}.`,
        { kind: 'usage' },
      );
    const fault = viewFault(header, view);
    if (fault) throw new NarrowsError(`${name} cannot be shown by ${window}: ${fault}; give --window LOW,HIGH.`);
    return shown(view, number);
  }
  if (window === 'pillow')
    warnings.push({ kind: 'window', message: 'it is a DICOM file, which Pillow does not read, so its own window was taken.' });
  const fault = views.length > 0 ? viewFault(header, views[0]) : undefined;
  if (fault)
    warnings.push({
      kind: 'window',
      message: `${fault}, so black and white are its least and its largest value; --window LOW,HIGH sets them.`,
    });
  return views.length === 0 || fault ? between('auto', leastAndMost(values)) : shown(views[0], 1);
}

function shareBeyond(values: Float64Array, [low, high]: readonly [number, number]): number {
  let beyond = 0;
  for (const v of values) if (v < low || v > high) beyond++;
  return beyond / values.length;
}

/** Whether a path holds a part of the patient's name: the name itself is never returned. */
function pathNames(name: string, header: DicomHeader): boolean {
  const parts = (header.dataSet.string('x00100010') ?? '')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(part => part.length > 2);
  const said = name.toLowerCase().split(/[^\p{L}]+/u);
  return parts.some(part => said.includes(part));
}

/**
 * Reads a DICOM file. Grey becomes bytes by the file's first VOI table or window, unless a window is given; MONOCHROME1 is turned so that air is black, as a
 * screen shows it; the orientation is left alone. Of the file's texts only modality and the hash of its SOP instance UID reach the reading, and the
 * tags of `options.keepTags`.
 * @param name how sentences begin: `Image film.dcm`
 * @param decoders of frames that are compressed
 * @throws NarrowsError for files without pixels, of several frames, of an unknown packing, or damaged
 */
export async function readDicom(
  name: string,
  bytes: Uint8Array,
  decoders: FrameDecoders,
  options: ImageReadOptions = {},
): Promise<DicomImage> {
  checkWindow(options.window ?? 'auto');
  const { header, index } = await open(name, bytes, options);
  const frame = await readFrame(name, header, index, decoders);
  const { rows: height, columns: width } = frame;
  const grey = header.samples === 1;
  const made: GreyBytes = grey ? greyBytes(name, header, frame, options) : colourBytes(header, frame, options);
  const inverted = header.photometric === 'MONOCHROME1';
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const value = made.data[grey ? Math.floor(i / 3) : i];
    data[i] = inverted ? 255 - value : value;
  }
  const warnings = [...made.warnings];
  if (made.clipped !== undefined && made.clipped > 0.5)
    warnings.push({
      kind: 'window',
      message: `${Math.round(100 * made.clipped)} % of its values lie outside of its window and became plain black or white.`,
    });
  if (header.aspect !== undefined)
    warnings.push({
      kind: 'aspect',
      message: `its pixels are ${header.aspect.toFixed(2)} times as high as wide, but are read as squares, so a model sees it squeezed.`,
    });
  if (pathNames(name, header))
    warnings.push({
      kind: 'privacy',
      message: 'its path holds a part of the name of the patient, and paths stand in results; rename the file.',
    });
  const { sopInstance, modality, aspect, frames } = header;
  const tags = options.keepTags?.length ? keptTags(header.dataSet, options.keepTags) : undefined;
  const dicom: DicomReading = {
    ...(sopInstance ? { sop: sha256Hex(sopInstance).slice(0, 16) } : {}),
    ...(modality ? { modality } : {}),
    photometric: header.photometric,
    packing: header.syntax.name,
    ...(frames > 1 ? { frame: index + 1 } : {}),
    ...(made.view ? { view: made.view } : {}),
    ...(aspect === undefined ? {} : { aspect }),
    ...(tags ? { tags } : {}),
  };
  const reading: ImageReading = {
    format: 'dicom',
    bits: header.bitsStored,
    ...(made.window ? { window: made.window, clipped: made.clipped } : {}),
    ...(frames > 1 ? { pages: frames } : {}),
    dicom,
    warnings,
  };
  return { width, height, data, reading };
}

/** Colour samples as bytes; of more than 8 bits the high ones. */
function colourBytes(
  { bitsStored }: DicomHeader,
  { values }: DicomFrame,
  { window }: ImageReadOptions,
): Pick<ImageReading, 'window' | 'clipped'> & { readonly data: Uint8Array; readonly warnings: PictureWarning[] } {
  const warnings: PictureWarning[] = [];
  if (window !== undefined && window !== 'auto')
    warnings.push({ kind: 'window', message: 'it is a colour picture, so the window was not applied to it.' });
  const shift = Math.max(0, bitsStored - 8);
  return { data: Uint8Array.from(values, v => v >> shift), warnings };
}
