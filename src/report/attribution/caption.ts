/** @file The caption strip: every word on the colour of its value, its number beneath. */
import type { WordScore } from '../../attribution/result.ts';
import { type ColourMap, hex } from './colour-map.ts';
import { measure, rightToLeft, shorten } from './glyphs.ts';
import { digitsFor, formatValue, positionOf, type Scale } from './normalise.ts';
import { contrast, type Triple } from './oklab.ts';
import { element, label, type Node } from './svg.ts';

/** A laid-out word: a box within the strip, and its two texts. */
interface Chip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly text: string;
  readonly number: string;
  readonly size: number;
  readonly value: number;
}

/** A caption strip: its height and its nodes, drawn from (0, 0). */
export interface Strip {
  readonly height: number;
  readonly chips: readonly Chip[];
  readonly size: number;
}

/** White or near-black, whichever reads better on `background`. */
export const inkOn = (background: Triple): string =>
  contrast(background, [255, 255, 255]) >= contrast(background, [16, 17, 22]) ? '#ffffff' : '#101116';

const PADDING = 16;
const GAP = 5;

/** A word as it is shown: one that the model's vocabulary lacks says so. */
export const wordLabel = ({ text, unknown }: Pick<WordScore, 'text' | 'unknown'>): string => (unknown ? `${text} (unknown)` : text);

/** Height of a chip whose words are `size` pixels large. */
const chipHeight = (size: number, numbers: boolean): number => size * (numbers ? 2.3 : 1.6);

/** Lays the words out in lines at most `width` wide. Punctuation stays close to its word; a caption from right to left runs that way. */
export function layoutStrip(
  words: readonly WordScore[],
  caption: string,
  scale: Scale,
  width: number,
  size: number,
  numbers: boolean,
): Strip {
  const inner = width - 2 * PADDING;
  const small = Math.max(9.5, size * 0.6);
  const digits = digitsFor(scale.high * scale.factor);
  const height = chipHeight(size, numbers);
  const mirrored = rightToLeft(caption);
  const chips: Chip[] = [];
  let [x, y, end] = [0, PADDING, -1];
  for (const word of words) {
    const number = formatValue(word.value * scale.factor, digits);
    const pad = size * 0.36;
    const text = shorten(wordLabel(word), inner - 2 * pad, size);
    const chip = Math.min(inner, Math.max(measure(text, size), numbers ? measure(number, small) : 0) + 2 * pad);
    const gap = x === 0 ? 0 : word.start === end ? 2 : GAP;
    if (x > 0 && x + gap + chip > inner + 0.01) [x, y] = [0, y + height + GAP];
    else x += gap;
    chips.push({ x: PADDING + (mirrored ? inner - x - chip : x), y, width: chip, text, number, size, value: word.value });
    x += chip;
    end = word.end;
  }
  return { height: y + height + PADDING, chips, size };
}

/** Draws a strip at (left, top) with at least `height`; the words stand in its middle when there is room to spare. */
export function drawStrip(
  strip: Strip,
  box: { left: number; top: number; width: number; height: number },
  map: ColourMap,
  scale: Scale,
  numbers: boolean,
): Node {
  const card = map.at(scale.signed ? 0.5 : 0);
  const slack = Math.max(0, (box.height - strip.height) / 2);
  const height = chipHeight(strip.size, numbers);
  const small = Math.max(9.5, strip.size * 0.6);
  const nodes: Node[] = [element('rect', { x: box.left, y: box.top, width: box.width, height: box.height, rx: 8, fill: hex(card) })];
  for (const chip of strip.chips) {
    const colour = map.at(positionOf(scale, chip.value));
    const ink = inkOn(colour);
    const [x, y] = [box.left + chip.x, box.top + slack + chip.y];
    const middle = x + chip.width / 2;
    const spoken = element('title', {}, `${chip.text}: ${chip.number} ${scale.unit}`);
    const parts: Node[] = [
      spoken,
      element('rect', { x, y, width: chip.width, height, rx: 5, fill: hex(colour) }),
      label(chip.text, middle, y + strip.size * 1.16, strip.size, ink, { anchor: 'middle' }),
    ];
    if (numbers) parts.push(label(chip.number, middle, y + strip.size * 2.0, small, ink, { anchor: 'middle', opacity: 0.82 }));
    nodes.push(element('g', {}, ...parts));
  }
  return element('g', {}, ...nodes);
}
