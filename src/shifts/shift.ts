/** @file What a shift is: a named, graded, seeded change of a picture or of a text. */
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { NarrowsError } from '../system/errors.ts';
import type { RandomReader } from '../tensor/random.ts';
import type { Synonyms } from './text/synonyms.ts';
import type { Translator } from './text/translator.ts';

/** How an image shift is applied. */
export interface ImageShiftOptions {
  /**
   * Lengths in pixels (blur radii, sigmas, block sizes) are published for pictures of about 224 pixels. `undefined` (default) takes them as
   * they are, whatever the picture's size; 224 multiplies them by (shorter side / 224), so that a small picture looks as a large one
   * would. Strengths (noise, contrast, JPEG quality) never scale.
   */
  readonly referenceSize?: number;
  /** Saves a picture as JPEG of a quality from 1 to 100 and reads it again; jpeg_compression needs it. Node's is shifts/jpeg-codec.ts. */
  readonly saveAsJpeg?: (image: RgbImage, quality: number) => Promise<RgbImage>;
  /** Photographs of frost, such as the published ones (`readFrostTextures`). Without them `frost` draws a texture and says so. */
  readonly frostTextures?: readonly RgbImage[];
  /** Another program's errors, made on purpose so that its numbers can be compared; see `COMPATIBLE`. Default: none. */
  readonly compat?: Compatible;
}

/**
 * Programs whose errors can be made on purpose. `mm-robustness` (Qiu et al., 2022, `perturb_COCO_IP.py`) takes red for blue in snow, frost and
 * JPEG, moves the pixels of one row in glass_blur, pixelates to a square and exchanges the picture's sides, enlarges farther in zoom_blur 5,
 * spreads fog over 1024 pixels, and saves every result as JPEG of quality 95.
 */
export const COMPATIBLE = ['mm-robustness'] as const;
/** See `COMPATIBLE`. */
export type Compatible = (typeof COMPATIBLE)[number];

/** How a text shift is applied. */
export interface TextShiftOptions {
  /** Strings that stay as they are where they occur, with the white space around them, e.g. `<image>`. Case matters. */
  readonly protect?: readonly string[];
  /**
   * Whose numbers the character shifts follow: `1.1.11` (the default; shares of words and letters are rounded up, ocr misreads two letters of a
   * word at least) or `1.1.7` (rounded down, one letter at least), which MM_Robustness names. Whichever, at least one word.
   */
  readonly nlpaug?: NlpaugVersion;
  /** How a share becomes a count, where it is to be another than that version's. */
  readonly counts?: 'ceil' | 'floor';
  /** Where synonyms come from; the synonym shifts need it. Node's is WordNet 3.0 (shifts/wordnet.ts). */
  readonly synonyms?: Synonyms;
  /** Who translates; `translation` needs it, and `language`. */
  readonly translator?: Translator;
  /** Into which language, by its English name. */
  readonly language?: string;
  /** What a translation ends with, such as ` Please answer in English.`; default nothing. */
  readonly suffix?: string;
  /** The question's id, for translations that are kept by it. */
  readonly id?: string;
}

/** Versions of nlpaug whose numbers are known. */
export const NLPAUG_VERSIONS = ['1.1.11', '1.1.7'] as const;
/** See `NLPAUG_VERSIONS`. */
export type NlpaugVersion = (typeof NLPAUG_VERSIONS)[number];

interface ShiftFacts {
  /** As in imagecorruptions, with underscores. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly summary: string;
  /** The constants, severity by severity, in words for the page. */
  readonly constants: string;
  /** Where algorithm and constants come from. */
  readonly source: string;
  /** Whether it draws random numbers. */
  readonly random: boolean;
}

/** A change of a picture, in five severities. */
export interface ImageShift extends ShiftFacts {
  readonly modality: 'image';
  readonly severities: 5;
  /** Which lengths `referenceSize` scales; empty for none. */
  readonly scaled: string;
  /** Things do not stay where they were, so that boxes of the picture as it was do not hold. */
  readonly moves?: true;
  /** What every result must say of it under these options: a stand-in for something that was not given. */
  remark?(options: ImageShiftOptions): string | undefined;
  /** A new picture of the same size (`compat`'s pixelate exchanges the sides); the given one stays. @param severity 1 (weak) to 5 (strong) */
  apply(image: RgbImage, severity: number, reader: RandomReader, options?: ImageShiftOptions): RgbImage | Promise<RgbImage>;
}

/** A change of a text, at rates 1 to 7: p = 0.05 r of its words; or in one grade. */
export interface TextShift extends ShiftFacts {
  readonly modality: 'text';
  readonly severities: 1 | 7;
  /** Its result is a promise. */
  readonly waits?: true;
  /** @param severity the rate r */
  apply(text: string, severity: number, reader: RandomReader, options?: TextShiftOptions): string | Promise<string>;
}

/** Either kind. */
export type Shift = ImageShift | TextShift;

/** The constant of a severity. @throws NarrowsError unless `severity` is a whole number from 1 to the table's length. */
export function atSeverity<T>(name: string, severity: number, table: readonly T[]): T {
  if (!Number.isInteger(severity) || severity < 1 || severity > table.length)
    throw new NarrowsError(`The severity of ${name} must be a whole number from 1 to ${table.length}; got ${severity}.`, { kind: 'usage' });
  return table[severity - 1];
}

/** The factor by which lengths in pixels are multiplied: 1, or (shorter side) / `referenceSize`. @throws NarrowsError unless it is positive */
export function lengthScale(image: RgbImage, { referenceSize }: ImageShiftOptions = {}): number {
  if (referenceSize === undefined) return 1;
  if (!(referenceSize > 0))
    throw new NarrowsError(`The reference size must be a positive number of pixels, such as 224; got ${referenceSize}.`, { kind: 'usage' });
  return Math.min(image.width, image.height) / referenceSize;
}
