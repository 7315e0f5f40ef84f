/** @file Shifts by name and seed: what experiments and the command line call. JPEG is Node's codec, synonyms are the shipped WordNet's. */
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { saveAsJpeg } from './jpeg-codec.ts';
import { type Draw, shiftImageWith, shiftTextAsyncWith, shiftTextWith } from './seeded.ts';
import type { ImageShiftOptions, TextShiftOptions } from './shift.ts';
import { wordnetSynonyms } from './wordnet.ts';

export type { Draw } from './seeded.ts';

/**
 * A picture under a shift: same name, severity, seed and sample, same bytes.
 * @param severity 1 to 5 @throws NarrowsError for an unknown name or severity
 * @example
 * const image = await decodeImage('examples/scene.png');
 * const noisy = await shiftImage('gaussian_noise', image, 3, { seed: 1 });
 * console.log(noisy.width === image.width);
 */
export const shiftImage = (name: string, image: RgbImage, severity: number, options: Draw & ImageShiftOptions = {}): Promise<RgbImage> =>
  shiftImageWith(name, image, severity, { saveAsJpeg, ...options });

/**
 * A text under a shift: same name, rate, seed and sample, same text.
 * @param severity the rate r, 1 to 7 @throws NarrowsError for an unknown name or rate, and for translation, which waits
 * @example
 * console.log(shiftText('keyboard', 'is there a cat in the picture ?', 3, { seed: 1 }));
 */
export const shiftText = (name: string, text: string, severity: number, options: Draw & TextShiftOptions = {}): string =>
  shiftTextWith(name, text, severity, { synonyms: wordnetSynonyms, ...options });

/**
 * A text under any shift, translation among them.
 * @throws NarrowsError as `shiftText`; for translation without `translator` or `language`, or where the translator has none
 * @example
 * const translator = async (text: string, language: string) => `${text} (${language})`;
 * console.log(await shiftTextAsync('translation', 'Is there a cat?', 1, { translator, language: 'Greek' }));
 */
export const shiftTextAsync = (name: string, text: string, severity: number, options: Draw & TextShiftOptions = {}): Promise<string> =>
  shiftTextAsyncWith(name, text, severity, { synonyms: wordnetSynonyms, ...options });
