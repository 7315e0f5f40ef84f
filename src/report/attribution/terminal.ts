/** @file A result in a terminal: coloured words with their values, and a thumbnail of half blocks. Pure: what the terminal can do comes in. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { inkOn, wordLabel } from './caption.ts';
import { type ColourMap, colourMap, defaultColourMap } from './colour-map.ts';
import { explainedTexts, methodLabel, textWord } from './figure-options.ts';
import { graphemes } from './glyphs.ts';
import { type DisplayUnit, digitsFor, displayScale, formatValue, positionOf, strengthOf } from './normalise.ts';
import type { Triple } from './oklab.ts';
import { composite, defaultOpacity, overlayLayer } from './overlay.ts';
import { type PictureCodec, resizeForDisplay } from './picture.ts';
import { settledNote, verdictOf } from './verdict.ts';

/** What the terminal can do and how wide it is. `colour`: 24-bit colours (false under NO_COLOR or in a pipe). */
export interface TerminalOptions {
  readonly colour: boolean;
  readonly unit?: DisplayUnit;
  /** Columns; default 80. */
  readonly columns?: number;
  readonly colourMap?: string;
}

const ESCAPE = '\u001b[';
const RESET = `${ESCAPE}0m`;
const background = (rgb: Triple): string => `${ESCAPE}48;2;${rgb.map(Math.round).join(';')}m`;
const foreground = (rgb: Triple): string => `${ESCAPE}38;2;${rgb.map(Math.round).join(';')}m`;

/** Text without control characters: a caption must not be able to move the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');

/** Columns that a text takes: wide characters and emoji two, marks none. */
export function columnsOf(text: string): number {
  const wide =
    /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]|\p{Extended_Pictographic}\ufe0f/u;
  return graphemes(text).reduce((sum, part) => sum + (wide.test(part) ? 2 : /^[\p{M}\p{Cf}]+$/u.test(part) ? 0 : 1), 0);
}

const mapFor = (signed: boolean, name?: string): ColourMap => (name === undefined ? defaultColourMap(signed, true) : colourMap(name));

/**
 * The caption's words with their values. In colour: chips that wrap, each word over its number. Without: one line per word with a bar.
 * @throws NarrowsError when the result has no caption map.
 */
export function terminalWords(result: Attribution, options: TerminalOptions): string {
  if (!result.text) throw new NarrowsError('The result holds no map of the caption; attribute with modality text or both.');
  const words = result.text.words;
  const scale = displayScale(
    words.map(word => word.value),
    result.unit,
    { unit: options.unit },
  );
  const digits = digitsFor(scale.high * scale.factor);
  const shown = words.map(word => ({
    text: plain(wordLabel(word)),
    number: formatValue(word.value * scale.factor, digits),
    value: word.value,
  }));
  const columns = Math.max(20, options.columns ?? 80);
  if (!options.colour) {
    const textWidth = Math.min(32, Math.max(4, ...shown.map(word => columnsOf(word.text))));
    const numberWidth = Math.max(...shown.map(word => word.number.length), 1);
    const room = Math.max(6, Math.min(32, columns - textWidth - numberWidth - 4));
    return shown
      .map(word => {
        const bar = (scale.signed && word.value < 0 ? '░' : '█').repeat(Math.round(strengthOf(scale, word.value) * room));
        return `${word.text}${' '.repeat(Math.max(0, textWidth - columnsOf(word.text)))}  ${word.number.padStart(numberWidth)}  ${bar}`.trimEnd();
      })
      .join('\n');
  }
  const map = mapFor(scale.signed, options.colourMap);
  const lines: string[] = [];
  let [top, bottom, used] = ['', '', 0];
  for (const word of shown) {
    const width = Math.max(columnsOf(word.text), word.number.length) + 2;
    if (used > 0 && used + 1 + width > columns) {
      lines.push(top, bottom, '');
      [top, bottom, used] = ['', '', 0];
    }
    const colour = map.at(positionOf(scale, word.value));
    const paint = background(colour) + foreground(inkOn(colour) === '#ffffff' ? [255, 255, 255] : [16, 17, 22]);
    const centred = (text: string, length: number) => {
      const left = Math.floor((width - length) / 2);
      return `${paint}${' '.repeat(left)}${text}${' '.repeat(width - length - left)}${RESET}`;
    };
    const gap = used > 0 ? ' ' : '';
    top += gap + centred(word.text, columnsOf(word.text));
    bottom += gap + centred(word.number, word.number.length);
    used += gap.length + width;
  }
  if (used > 0) lines.push(top, bottom);
  return lines.join('\n');
}

/**
 * The heat on the image as half blocks (▀: upper pixel in the foreground, lower in the background), two pixels a character.
 * @param columns width in characters; the height follows from the image, at most 40 lines.
 */
export async function terminalThumbnailWith(
  codec: PictureCodec,
  result: Attribution,
  image: RgbImage,
  columns = 40,
  mapName?: string,
): Promise<string> {
  if (!result.image) throw new NarrowsError('The result holds no map of the image; attribute with modality image or both.');
  const scale = displayScale(result.image.patches, result.unit);
  const ratio = image.height / image.width;
  const width = Math.max(2, Math.min(columns, Math.floor(80 / ratio)));
  const height = Math.max(2, 2 * Math.round((width * ratio) / 2));
  const small = await resizeForDisplay(codec, image, width, height);
  const style = { method: 'blended', map: mapFor(scale.signed, mapName), scale, opacity: defaultOpacity.blended } as const;
  const { data } = composite(small, overlayLayer(result.image, image, width, height, style));
  const at = (x: number, y: number): Triple => [data[(y * width + x) * 3], data[(y * width + x) * 3 + 1], data[(y * width + x) * 3 + 2]];
  return Array.from({ length: height / 2 }, (_, row) => {
    const cells = Array.from({ length: width }, (_, x) => `${foreground(at(x, 2 * row))}${background(at(x, 2 * row + 1))}▀`);
    return cells.join('') + RESET;
  }).join('\n');
}

/**
 * A line that sums the result up: method, model, cosine, bits and whether they are settled, whether the optimisation did not converge, how many warnings there are; and what
 * each map explains, where it is not the usual.
 */
export function terminalSummary(result: Attribution): string {
  const bits = (value: number) => formatValue(value, digitsFor(value));
  const parts = [`${methodLabel(result)} on ${plain(result.provenance.model.name)}`];
  if (result.cosine !== undefined) parts.push(`cosine ${formatValue(result.cosine, 3)}`);
  if (result.unit === 'nats' && result.image) parts.push(`image ${bits(result.image.totalBits ?? 0)} bits${settledNote(result.image)}`);
  if (result.unit === 'nats' && result.text)
    parts.push(`${textWord(result)} ${bits(result.text.totalBits ?? 0)} bits${settledNote(result.text)}`);
  if (verdictOf(result) === 'not-converged') parts.push('NOT CONVERGED');
  const count = result.warnings?.length ?? 0;
  if (count > 0) parts.push(`${count} WARNING${count > 1 ? 'S' : ''}`);
  return [parts.join(' · '), ...explainedTexts(result).map(text => `Explained, ${plain(text)}`)].join('\n');
}
