/** @file A scenario of a run: the clean set, or the set under a shift of its pictures, its words, or both. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { shiftImage, shiftText } from '../../shifts/apply.ts';
import type { ImageShiftOptions, TextShiftOptions } from '../../shifts/shift.ts';
import { exactJson } from '../../system/exact-json.ts';

/** A shift with its severity. */
export interface ShiftChoice<O> {
  readonly shift: string;
  readonly severity: number;
  readonly options?: O;
}

/** What is done to a set before it is asked. */
export interface Scenario {
  /** As in tables and file names: `clean`, `gaussian_noise:3`. */
  readonly name: string;
  readonly image?: ShiftChoice<ImageShiftOptions>;
  readonly text?: ShiftChoice<TextShiftOptions>;
}

/** The set as it is. */
export const CLEAN: Scenario = { name: 'clean' };

/** Which part of a question a scenario changes. */
export const scenarioKind = ({ image, text }: Scenario): 'clean' | 'visual' | 'textual' | 'joint' =>
  image ? (text ? 'joint' : 'visual') : text ? 'textual' : 'clean';

/** The same for scenarios whose pictures are the same: they are shifted and encoded once. */
export const pictureKey = ({ image }: Scenario): string => (image ? exactJson(image) : '');

/** Of which numbers a shift is drawn. */
export interface ScenarioDraw {
  readonly seed: number;
  /** The picture's or the question's place in its set. */
  readonly sample: number;
}

/** What stays as it is in the words of a question. */
const PROTECTED = ['<image>', '<image 1>', '<image 2>', '<image 3>', '<image 4>', '<image 5>', '<image 6>', '<image 7>'];

/** A question's words under a scenario; those of a joint scenario are those of the textual one with the same shift. */
export async function shiftWords({ text }: Scenario, words: string, draw: ScenarioDraw): Promise<string> {
  if (!text) return words;
  return shiftText(text.shift, words, text.severity, { protect: PROTECTED, ...text.options, ...draw });
}

/** A picture under a scenario. @param referenceSize see `ImageShiftOptions` */
export async function shiftPicture({ image }: Scenario, picture: RgbImage, draw: ScenarioDraw, referenceSize?: number): Promise<RgbImage> {
  if (!image) return picture;
  return shiftImage(image.shift, picture, image.severity, { referenceSize, ...image.options, ...draw });
}
