/** @file What patches and words say, as numbers in words; and what interactions say of a pair of them. */
import { digitsFor, formatValue, type Scale } from '../../../report/attribution/normalise.ts';
import type { Shown, WordValue } from './maps.ts';

/** A value of a scale as it is read, with its unit: `321 nats`. */
export const valueText = (value: number, scale: Scale): string =>
  `${formatValue(value * scale.factor, digitsFor(Math.max(Math.abs(scale.low), scale.high) * scale.factor))} ${scale.unit}`;

/** Share of the whole, by magnitude: `20 %`; empty where there is nothing. */
export function shareText(value: number, all: ArrayLike<number>): string {
  let total = 0;
  for (let i = 0; i < all.length; i++) total += Math.abs(all[i]);
  return total > 0 ? `${((100 * Math.abs(value)) / total).toFixed(1)} %` : '';
}

/** `row 3, column 4: 321 nats, 20.3 % of the picture`. */
export function patchText(patch: number, shown: Shown, scale: Scale): string {
  const map = shown.image;
  if (!map || !(patch < map.patches.length)) return '';
  const columns = map.grid[1];
  const share = shareText(map.patches[patch], map.patches);
  const where = `row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`;
  return `${where}: ${valueText(map.patches[patch], scale)}${share ? `, ${share} of the picture` : ''}`;
}

/** `moon: 43.3 nats, 32.1 % of the caption`. */
export function wordText(word: WordValue, words: readonly WordValue[], scale: Scale, of: 'caption' | 'question' = 'caption'): string {
  const share = shareText(
    word.value,
    words.map(each => each.value),
  );
  return `${word.text}: ${valueText(word.value, scale)}${share ? `, ${share} of the ${of}` : ''}${word.unknown ? '; the vocabulary lacks it' : ''}`;
}

/** Columns of the interactions that belong to a word. */
function columnsOf(shown: Shown, word: number, tokensOf: (word: number) => readonly number[]): number[] {
  const tokens = new Set(tokensOf(word));
  return (shown.interactions?.tokens ?? []).flatMap((token, column) => (tokens.has(token) ? [column] : []));
}

/** What a patch brings together with each word. */
export function wordsOfPatch(shown: Shown, patch: number, tokensOf: (word: number) => readonly number[]): number[] | undefined {
  const { interactions, words } = shown;
  if (!interactions || !words || patch >= interactions.patches) return undefined;
  const width = interactions.tokens.length;
  return words.map((_, word) =>
    columnsOf(shown, word, tokensOf).reduce((sum, column) => sum + interactions.values[patch * width + column], 0),
  );
}

/** What a word brings together with each patch. */
export function patchesOfWord(shown: Shown, word: number, tokensOf: (word: number) => readonly number[]): Float32Array | undefined {
  const { interactions } = shown;
  if (!interactions) return undefined;
  const width = interactions.tokens.length;
  const columns = columnsOf(shown, word, tokensOf);
  if (columns.length === 0) return undefined;
  return Float32Array.from({ length: interactions.patches }, (_, patch) =>
    columns.reduce((sum, column) => sum + interactions.values[patch * width + column], 0),
  );
}
