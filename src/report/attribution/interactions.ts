/** @file Interactions of patches and words as pictures: one small map per word, on one scale, under the figure. */

import type { Attribution, ImageAttribution } from '../../attribution/result.ts';
import type { Rectangle, RgbImage } from '../../inputs/image/rgb-image.ts';
import { tellingParts } from './answer.ts';
import { defaultColourMap } from './colour-map.ts';
import type { FigureStyle } from './figure-options.ts';
import { displayScale, type Scale } from './normalise.ts';
import { greyed, overlayLayer } from './overlay.ts';
import { greyBase, type PanelEncoding } from './panel.ts';
import { dataUri, resizeForDisplay } from './picture.ts';
import { element, label, type Node } from './svg.ts';
import { themes } from './theme.ts';

/** What a word brings together with each patch, [patches]: the sum over the word's tokens. Words without own tokens are left out. */
export interface WordMap {
  readonly text: string;
  /** Index into the text's words. */
  readonly word: number;
  readonly patches: Float32Array;
}

/** Interactions word by word, in the caption's order; empty where the result has none. (Words of an answer: `tellingParts`.) */
export function wordMaps(result: Attribution): WordMap[] {
  const { interactions, text } = result;
  if (!interactions || !text) return [];
  const { values, patches, tokens } = interactions;
  return text.words.flatMap((word, i) => {
    const columns = word.tokens.flatMap(token => {
      const column = tokens.indexOf(token);
      return column < 0 ? [] : [column];
    });
    if (columns.length === 0) return [];
    const sums = Float32Array.from({ length: patches }, (_, p) =>
      columns.reduce((sum, column) => sum + values[p * tokens.length + column], 0),
    );
    return [{ text: word.text, word: i, patches: sums }];
  });
}

/** One scale for all words, so that maps can be compared. */
export const wordMapScale = (maps: readonly Pick<WordMap, 'patches'>[], unit: Attribution['unit'] = 'score'): Scale =>
  displayScale(
    maps.flatMap(map => [...map.patches]),
    unit,
  );

/** A word's map, encoded. */
export interface WordPanel {
  readonly text: string;
  readonly total: number;
  readonly uris: readonly string[];
}

/** Words that a figure has room for; those with the strongest maps are shown. */
const MOST = 8;
const GAP = 14;

/** Size of the panels in a figure of `inner` CSS pixels. */
export function wordPanelSize(inner: number, count: number, image: { width: number; height: number }): { width: number; height: number } {
  const columns = Math.max(4, Math.min(MOST, count));
  const width = Math.floor((inner - GAP * (columns - 1)) / columns);
  return { width, height: Math.max(2, Math.round((width * image.height) / image.width)) };
}

/** As many as a figure has room for, in the caption's order. */
function strongestMaps(all: readonly WordMap[]): WordMap[] {
  const strength = (map: WordMap): number => map.patches.reduce((sum, v) => sum + Math.abs(v), 0);
  const strongest = new Set([...all].sort((a, b) => strength(b) - strength(a)).slice(0, MOST));
  return all.filter(map => strongest.has(map));
}

/** Encodes the panels of a figure of `inner` CSS pixels. */
export async function wordPanels(
  result: Attribution,
  image: RgbImage,
  style: FigureStyle,
  inner: number,
  { codec, density, fast }: PanelEncoding,
): Promise<WordPanel[]> {
  const all = result.answer ? result.answer.parts.flatMap(part => (part.patches ? [{ patches: part.patches }] : [])) : wordMaps(result);
  if (all.length === 0 || !result.image) return [];
  const scale = wordMapScale(all, result.unit);
  const maps = result.answer ? tellingParts(result) : strongestMaps(wordMaps(result));
  const size = wordPanelSize(inner, maps.length, image);
  const [width, height] = [Math.round(size.width * density), Math.round(size.height * density)];
  const shown = await resizeForDisplay(codec, image, width, height, 2.5 * density);
  const base = await dataUri(codec, greyBase({ ...style, imageScale: scale }) ? greyed(shown) : shown, fast ? 'fast' : 'photo');
  const { method, opacity } = style;
  // The figure's map of the image serves where these are signed as it is.
  const map = scale.signed === style.imageScale?.signed ? style.imageMap : defaultColourMap(scale.signed, style.theme === themes.dark);
  return Promise.all(
    maps.map(async one => {
      const part: ImageAttribution = { ...result.image!, patches: one.patches, pixels: undefined };
      const layer = overlayLayer(part, image, width, height, { method, map, scale, opacity });
      const total = one.patches.reduce((a, b) => a + b, 0);
      return { text: one.text, total, uris: [base, await dataUri(codec, layer, fast ? 'fast' : 'exact')] };
    }),
  );
}

/** Draws the panels side by side from `left`, `top`. */
export function drawWordPanels(
  panels: readonly WordPanel[],
  { left, top }: Pick<Rectangle, 'left' | 'top'>,
  size: { width: number; height: number },
  style: FigureStyle,
): Node[] {
  return panels.flatMap((panel, i) => {
    const x = left + i * (size.width + GAP);
    const id = `word-panel-${i}`;
    const frame = { x, y: top, width: size.width, height: size.height };
    const pictures = panel.uris.map(uri => element('image', { ...frame, preserveAspectRatio: 'none', 'xlink:href': uri }));
    return [
      element('clipPath', { id }, element('rect', { ...frame, rx: 5 })),
      element('g', { 'clip-path': `url(#${id})` }, ...pictures),
      label(panel.text, x + size.width / 2, top + size.height + 18, 14, style.theme.ink, { anchor: 'middle' }),
    ];
  });
}
