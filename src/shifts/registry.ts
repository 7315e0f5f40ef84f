/** @file All shifts. The command line, the page and the tests read this list. */
import { NarrowsError } from '../system/errors.ts';
import { didYouMean } from '../system/nearest-names.ts';
import { aspect } from './image/aspect.ts';
import { brightness } from './image/brightness.ts';
import { contrast } from './image/contrast.ts';
import { crop } from './image/crop.ts';
import { defocusBlur } from './image/defocus-blur.ts';
import { downscale } from './image/downscale.ts';
import { elasticTransform } from './image/elastic-transform.ts';
import { fog } from './image/fog.ts';
import { frost } from './image/frost.ts';
import { gaussianBlur } from './image/gaussian-blur.ts';
import { gaussianNoise } from './image/gaussian-noise.ts';
import { glassBlur } from './image/glass-blur.ts';
import { impulseNoise } from './image/impulse-noise.ts';
import { jpegCompression } from './image/jpeg-compression.ts';
import { mirror } from './image/mirror.ts';
import { motionBlur } from './image/motion-blur.ts';
import { pixelate } from './image/pixelate.ts';
import { rotate } from './image/rotate.ts';
import { saturate } from './image/saturate.ts';
import { shotNoise } from './image/shot-noise.ts';
import { snow } from './image/snow.ts';
import { spatter } from './image/spatter.ts';
import { speckleNoise } from './image/speckle-noise.ts';
import { zoomBlur } from './image/zoom-blur.ts';
import type { ImageShift, Shift, TextShift } from './shift.ts';
import { keyboard } from './text/keyboard.ts';
import { ocr } from './text/ocr.ts';
import { charDelete, charInsert, charSubstitute, charSwap } from './text/random-characters.ts';
import { synonymInsertion, synonymReplacement } from './text/synonym-words.ts';
import { translation } from './text/translation.ts';
import { punctuation, wordDelete, wordSwap } from './text/words.ts';

/** Noise, blur, weather, digital: the order of ImageNet-C, the extra ones behind their kin; then what moves or resizes. */
export const imageShifts: readonly ImageShift[] = [
  gaussianNoise,
  shotNoise,
  impulseNoise,
  speckleNoise,
  defocusBlur,
  glassBlur,
  motionBlur,
  zoomBlur,
  gaussianBlur,
  snow,
  frost,
  fog,
  spatter,
  brightness,
  saturate,
  contrast,
  elasticTransform,
  pixelate,
  jpegCompression,
  rotate,
  downscale,
  aspect,
  crop,
  mirror,
];

/** Characters, words, the whole sentence. */
export const textShifts: readonly TextShift[] = [
  keyboard,
  ocr,
  charInsert,
  charSubstitute,
  charSwap,
  charDelete,
  wordSwap,
  wordDelete,
  synonymReplacement,
  synonymInsertion,
  punctuation,
  translation,
];

/** Every shift, images first. */
export const shifts: readonly Shift[] = [...imageShifts, ...textShifts];

/** The shift of a name, written with underscores or hyphens; undefined where there is none. */
export const findShift = (name: string): Shift | undefined => shifts.find(s => s.name === name.replaceAll('-', '_'));

function named<T extends { name: string }>(kind: string, list: readonly T[], name: string): T {
  const found = list.find(s => s.name === name.replaceAll('-', '_'));
  if (found) return found;
  const names = list.map(s => s.name);
  throw new NarrowsError(`There is no ${kind} shift "${name}"; ${didYouMean(name, names) ?? `choose among ${names.join(', ')}.`}`, {
    kind: 'usage',
  });
}

/** The image shift of a name. @throws NarrowsError (usage) that names the nearest ones, or all */
export const requireImageShift = (name: string): ImageShift => named('image', imageShifts, name);
/** The text shift of a name. @throws NarrowsError (usage) that names the nearest ones, or all */
export const requireTextShift = (name: string): TextShift => named('text', textShifts, name);
