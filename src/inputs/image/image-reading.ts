/** @file How a picture file was read: what stands in the result, and what is said about it. No Node imports. */

/**
 * How samples of more than 8 bits become bytes. `auto`: black and white are the least and the largest value of a grey picture (of a colour
 * picture the high byte is kept, unless it uses 14 bits or fewer); `pillow`: as Pillow's `convert('RGB')`, which cuts grey off at 255; two
 * numbers: the values that become black and white. Of a DICOM file `auto` is its first VOI table or window, `voi:2` its second, and numbers are in its
 * own units (after its rescaling).
 */
export type ImageWindow = 'auto' | 'pillow' | `voi:${number}` | readonly [low: number, high: number];

/** What a window looks like in a flag or a file. */
export const WINDOW_FORM =
  'give auto, pillow, or two numbers, the lower one first, such as 0,4095 (of DICOM also voi:2, its second window)';

/** A window from text; undefined where it is none. */
export function parseWindow(text: string): ImageWindow | undefined {
  const said = text.trim();
  if (said === 'auto' || said === 'pillow') return said;
  if (/^voi:[1-9]\d{0,2}$/.test(said)) return said as `voi:${number}`;
  const [low, high, ...more] = said.split(',').map(part => (part.trim() === '' ? Number.NaN : Number(part)));
  return more.length === 0 && Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : undefined;
}

/** What is likely to make a picture wrong for a model: a clause about the picture ("its …"), and of what kind. */
export interface PictureWarning {
  readonly kind: 'orientation' | 'window' | 'aspect' | 'privacy' | 'decoder';
  readonly message: string;
}

/** How picture files are read, wherever Narrows reads them. */
export interface ImageReadOptions {
  /** Turn the picture as its EXIF orientation says. Default: leave it as stored, as Pillow does, and say so. */
  readonly autoOrient?: boolean;
  /** For pictures of more than 8 bits per sample. Default `auto`. */
  readonly window?: ImageWindow;
  /** Of a DICOM file of several frames: which one, from 1. */
  readonly frame?: number;
  /** Of DICOM files: tags (`0018,0015`) whose texts go into the reading; by default none. */
  readonly keepTags?: readonly string[];
  /** Most pixels that a picture may have, by its header. Default: where Pillow, too, refuses (179 million). */
  readonly maxPixels?: number;
  /** What to call bytes that do not come from a path. */
  readonly name?: string;
  /** What is likely to make a picture wrong for a model: one sentence that names the picture. */
  readonly onWarning?: (message: string, kind: PictureWarning['kind']) => void;
  /** What was decided about a picture: one sentence that names it. */
  readonly onNote?: (message: string) => void;
}

/** What is recorded of a DICOM file: nothing that names a patient. */
export interface DicomReading {
  /** First 16 hexadecimal digits of the SHA-256 of its SOP instance UID. */
  readonly sop?: string;
  readonly modality?: string;
  readonly photometric: string;
  /** Its transfer syntax in words. */
  readonly packing: string;
  /** Which of several frames, from 1. */
  readonly frame?: number;
  /** The VOI table or window that was taken, of how many, by its number as in `voi:2`. */
  readonly view?: { readonly kind: 'table' | 'window'; readonly number: number; readonly of: number; readonly label?: string };
  /** Height of a pixel over its width, where they differ. */
  readonly aspect?: number;
  /** What was asked for by `keepTags`. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** What was found in a picture file and what was made of it. */
export interface ImageReading {
  /** `png`, `jpeg`, `webp`, `gif`, `avif`, `tiff`, `bmp`, `pnm` or `dicom`. */
  readonly format: string;
  /** Bits per sample in the file; 8 where it has fewer. */
  readonly bits: number;
  /** Of more than 8 bits: the stored values that became black and white, and who chose them. */
  readonly window?: { readonly rule: 'auto' | 'pillow' | 'given' | 'file'; readonly low: number; readonly high: number };
  /** Share of the samples beyond the window, 0–1. */
  readonly clipped?: number;
  /** The file's orientation where it is not 1 (upright), and whether the picture was turned by it. */
  readonly orientation?: { readonly tag: number; readonly applied: boolean };
  /** Read by a browser's own decoder, whose bytes are not known to be Pillow's. */
  readonly approximate?: true;
  /** Pictures in the file where there are several; the first one is read. */
  readonly pages?: number;
  readonly dicom?: DicomReading;
  readonly warnings: readonly PictureWarning[];
}

/** The decisions behind a picture in words, none where there was nothing to decide. */
export function readingNotes({ bits, window, orientation, pages, dicom }: ImageReading): string[] {
  const notes: string[] = [];
  if (window) {
    const who = {
      auto: 'chosen by the values that are there',
      pillow: "Pillow's rule",
      given: 'as asked for',
      file: "the file's own window",
    }[window.rule];
    notes.push(`${bits} bits a sample: ${window.low} became black and ${window.high} white (${who})`);
  }
  if (orientation?.applied) notes.push(`turned upright by its orientation tag ${orientation.tag}`);
  if (dicom?.view?.kind === 'table') notes.push(`shown by the file's own VOI table`);
  if (dicom?.view && dicom.view.of > 1)
    notes.push(`the file has ${dicom.view.of} ways to show it, of which number ${dicom.view.number} was taken`);
  if (dicom?.frame !== undefined) notes.push(`frame ${dicom.frame} of ${pages}`);
  else if (pages !== undefined) notes.push(`the first of ${pages} pictures in the file`);
  return notes;
}

/** Calls the options' functions with all that is to be said of a picture. @param name how the sentence begins: `Image film.png` */
export function sayReading(name: string, reading: ImageReading, options: ImageReadOptions): void {
  for (const { kind, message } of reading.warnings) options.onWarning?.(`${name}: ${message}`, kind);
  const notes = readingNotes(reading);
  if (notes.length > 0) options.onNote?.(`${name}: ${notes.join('; ')}.`);
}
