/** @file Widths and outlines of the built-in font (Inter), so that text is measured, and drawn, on machines without any font. */
import { regular } from './outlines/regular.ts';
import { semibold } from './outlines/semibold.ts';

/** The weights there are. */
export type Weight = 'regular' | 'semibold';

/** Advance width and outline (SVG path data) of a glyph, in 1/1000 em, y downwards from the base line. */
export interface Glyph {
  readonly advance: number;
  readonly path: string;
}

function parse(source: string): Map<string, Glyph> {
  const glyphs = new Map<string, Glyph>();
  for (const entry of source.split('¦')) {
    const character = String.fromCodePoint(entry.codePointAt(0) as number);
    const space = entry.indexOf(' ', character.length);
    glyphs.set(character, { advance: Number(entry.slice(character.length, space)), path: entry.slice(space + 1) });
  }
  return glyphs;
}

const fonts: Partial<Record<Weight, Map<string, Glyph>>> = {};

/** The glyph of one character; semibold falls back to regular; undefined where the built-in font has none. */
export function glyphOf(character: string, weight: Weight): Glyph | undefined {
  fonts.regular ??= parse(regular);
  fonts.semibold ??= parse(semibold);
  return fonts[weight]?.get(character) ?? fonts.regular.get(character);
}

/** Marks that take no room of their own: combining marks, joiners, variation selectors, direction marks, emoji skin tones. */
const MARK = /^(?:[\p{M}\p{Cf}]|\p{Emoji_Modifier})$/u;
const WIDE =
  /^[\p{Extended_Pictographic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]$/u;

/** Width of one character in em: exact for the built-in font, an estimate for others. */
export function advanceOf(character: string, weight: Weight): number {
  const glyph = glyphOf(character, weight);
  if (glyph) return glyph.advance / 1000;
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 1.1 : 0.62;
}

/** Graphemes of a text: what a reader takes for one character (an emoji family is one). */
export function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text), part => part.segment);
}

/** Width of a text at `size` pixels. A joined emoji counts once. */
export function measure(text: string, size: number, weight: Weight = 'regular'): number {
  let width = 0;
  for (const part of graphemes(text)) {
    const emoji = /\p{Extended_Pictographic}/u.test(part) && !glyphOf(part, weight);
    width += emoji ? 1.25 : [...part].reduce((sum, character) => sum + advanceOf(character, weight), 0);
  }
  return width * size;
}

/** Cuts a text in the middle, with an ellipsis, so that it is at most `width` wide. */
export function shorten(text: string, width: number, size: number, weight: Weight = 'regular'): string {
  if (measure(text, size, weight) <= width) return text;
  const parts = graphemes(text);
  for (let keep = parts.length - 1; keep > 0; keep--) {
    const head = Math.ceil(keep / 2);
    const cut = `${parts.slice(0, head).join('')}…${parts.slice(parts.length - (keep - head)).join('')}`;
    if (measure(cut, size, weight) <= width) return cut;
  }
  return '…';
}

/** Breaks a text at spaces into lines at most `width` wide; a single longer word is shortened. */
export function wrap(text: string, width: number, size: number, weight: Weight = 'regular'): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const joined = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && measure(joined, size, weight) <= width) lines[lines.length - 1] = joined;
    else lines.push(shorten(word, width, size, weight));
  }
  return lines;
}

/** True when the first letter that has a direction runs from right to left (Hebrew, Arabic and their kin). */
export function rightToLeft(text: string): boolean {
  const letter = /[\p{L}]/u.exec(text)?.[0] ?? '';
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(letter);
}
