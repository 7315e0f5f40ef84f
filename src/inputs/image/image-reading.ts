/** @file How a picture file was read: what stands in the result, and what is said about it. No Node imports. */

/**
 * How samples of more than 8 bits become bytes. `auto`: black and white are the least and the largest value of a grey picture (of a colour
 * picture the high byte is kept, unless it uses 14 bits or fewer); `pillow`: as Pillow's `convert('RGB')`, which cuts grey off at 255; two
 * numbers: the values that become black and white.
 */
export type ImageWindow = 'auto' | 'pillow' | readonly [low: number, high: number];

/** What a window looks like in a flag or a file. */
export const WINDOW_FORM = 'give auto, pillow, or two numbers, the lower one first, such as 0,4095';

/** A window from text; undefined where it is none. */
export function parseWindow(text: string): ImageWindow | undefined {
  const said = text.trim();
  if (said === 'auto' || said === 'pillow') return said;
  const [low, high, ...more] = said.split(',').map(part => (part.trim() === '' ? Number.NaN : Number(part)));
  return more.length === 0 && Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : undefined;
}

/** What is likely to make a picture wrong for a model: a clause about the picture ("its …"), and of what kind. */
export interface PictureWarning {
  readonly kind: 'orientation' | 'window';
  readonly message: string;
}

/** How picture files are read, wherever Narrows reads them. */
export interface ImageReadOptions {
  /** Turn the picture as its EXIF orientation says. Default: leave it as stored, as Pillow does, and say so. */
  readonly autoOrient?: boolean;
  /** For pictures of more than 8 bits per sample. Default `auto`. */
  readonly window?: ImageWindow;
  /** What to call bytes that do not come from a path. */
  readonly name?: string;
  /** What is likely to make a picture wrong for a model: one sentence that names the picture. */
  readonly onWarning?: (message: string, kind: PictureWarning['kind']) => void;
  /** What was decided about a picture: one sentence that names it. */
  readonly onNote?: (message: string) => void;
}

/** What was found in a picture file and what was made of it. */
export interface ImageReading {
  /** `png`, `jpeg`, `webp`, `gif`, `avif`, `tiff`, `bmp` or `pnm`. */
  readonly format: string;
  /** Bits per sample in the file; 8 where it has fewer. */
  readonly bits: number;
  /** Of more than 8 bits: the stored values that became black and white, and who chose them. */
  readonly window?: { readonly rule: 'auto' | 'pillow' | 'given'; readonly low: number; readonly high: number };
  /** Share of the samples beyond the window, 0–1. */
  readonly clipped?: number;
  /** The file's orientation where it is not 1 (upright), and whether the picture was turned by it. */
  readonly orientation?: { readonly tag: number; readonly applied: boolean };
  /** Pictures in the file where there are several; the first one is read. */
  readonly pages?: number;
  readonly warnings: readonly PictureWarning[];
}

/** The decisions behind a picture in words, none where there was nothing to decide. */
export function readingNotes({ bits, window, orientation, pages }: ImageReading): string[] {
  const notes: string[] = [];
  if (window) {
    const who = { auto: 'chosen by the values that are there', pillow: "Pillow's rule", given: 'as asked for' }[window.rule];
    notes.push(`${bits} bits a sample: ${window.low} became black and ${window.high} white (${who})`);
  }
  if (orientation?.applied) notes.push(`turned upright by its orientation tag ${orientation.tag}`);
  if (pages !== undefined) notes.push(`the first of ${pages} pictures in the file`);
  return notes;
}

/** Calls the options' functions with all that is to be said of a picture. @param name how the sentence begins: `Image film.png` */
export function sayReading(name: string, reading: ImageReading, options: ImageReadOptions): void {
  for (const { kind, message } of reading.warnings) options.onWarning?.(`${name}: ${message}`, kind);
  const notes = readingNotes(reading);
  if (notes.length > 0) options.onNote?.(`${name}: ${notes.join('; ')}.`);
}
