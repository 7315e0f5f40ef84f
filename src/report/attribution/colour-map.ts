/** @file Colour maps with even lightness, laid out by us in OKLCH from a few control points; safe for colour-blind eyes. */
import { NarrowsError } from '../../system/errors.ts';
import { oklchToRgb, type Triple } from './oklab.ts';

/** Colours at 0, at about a quarter, at the middle and at 1, in words for legends. */
export interface ColourWords {
  readonly low: string;
  readonly some: string;
  readonly middle: string;
  readonly high: string;
}

/** A colour map. `table` holds 256 RGB triples; `at` gives the unrounded colour for a position between 0 and 1. */
export interface ColourMap {
  readonly name: string;
  /** `sequential` maps are dark at 0; `diverging` maps are neutral at 0.5. */
  readonly kind: 'sequential' | 'diverging';
  readonly about: string;
  /** What a person calls its colours. */
  readonly words: ColourWords;
  readonly table: Uint8Array;
  at(position: number): Triple;
}

/** Position, chroma, hue in degrees (may run past 360 so that the path stays continuous). */
type Control = readonly [number, number, number];

/** Piecewise cubic (Catmull–Rom on uneven knots) through column `column` of the control points. */
function curve(points: readonly Control[], column: 1 | 2, t: number): number {
  let i = 0;
  while (i < points.length - 2 && t > points[i + 1][0]) i++;
  const slope = (k: number): number => {
    const before = points[Math.max(0, k - 1)];
    const after = points[Math.min(points.length - 1, k + 1)];
    return (after[column] - before[column]) / (after[0] - before[0]);
  };
  const [a, b] = [points[i], points[i + 1]];
  const width = b[0] - a[0];
  const u = (t - a[0]) / width;
  const [u2, u3] = [u * u, u * u * u];
  return (
    (2 * u3 - 3 * u2 + 1) * a[column] +
    (u3 - 2 * u2 + u) * width * slope(i) +
    (3 * u2 - 2 * u3) * b[column] +
    (u3 - u2) * width * slope(i + 1)
  );
}

type Words = readonly [low: string, some: string, middle: string, high: string];

function build(
  name: string,
  kind: ColourMap['kind'],
  about: string,
  [low, some, middle, high]: Words,
  colour: (t: number) => Triple,
): ColourMap {
  const at = (position: number) => colour(Math.min(1, Math.max(0, position)));
  const table = Uint8Array.from(Array.from({ length: 256 }, (_, i) => at(i / 255)).flat(), v => Math.round(v));
  return { name, kind, about, words: { low, some, middle, high }, table, at };
}

/** Lightness rises linearly from `dark` to `bright`; chroma and hue follow the control points. */
function sequential(name: string, about: string, words: Words, [dark, bright]: [number, number], points: readonly Control[]): ColourMap {
  return build(name, 'sequential', about, words, t => oklchToRgb(dark + (bright - dark) * t, curve(points, 1, t), curve(points, 2, t)));
}

/** Lightness changes linearly from `neutral` at the centre to `end` at both ends; one hue for each side. */
function diverging(name: string, about: string, words: Words, [neutral, end]: [number, number], hues: [number, number]): ColourMap {
  return build(name, 'diverging', about, words, t => {
    const s = 2 * t - 1;
    const distance = Math.abs(s);
    return oklchToRgb(neutral + (end - neutral) * distance, 0.21 * distance ** 0.85, hues[s < 0 ? 0 : 1]);
  });
}

/** Every colour map, the default of its kind first. */
export const colourMaps: readonly ColourMap[] = [
  sequential(
    'narrows-heat',
    'indigo, magenta, orange, pale yellow',
    ['dark indigo', 'violet', 'magenta', 'pale yellow'],
    [0.2, 0.96],
    [
      [0, 0.055, 282],
      [0.25, 0.16, 304],
      [0.5, 0.2, 365],
      [0.75, 0.165, 412],
      [1, 0.09, 463],
    ],
  ),
  sequential(
    'narrows-sea',
    'deep blue, teal, green, pale lime',
    ['deep blue', 'blue', 'teal', 'pale lime'],
    [0.22, 0.95],
    [
      [0, 0.09, 288],
      [0.3, 0.12, 250],
      [0.55, 0.11, 195],
      [0.8, 0.16, 150],
      [1, 0.14, 112],
    ],
  ),
  sequential(
    'narrows-grey',
    'black to white, for print',
    ['black', 'dark grey', 'grey', 'white'],
    [0.18, 0.98],
    [
      [0, 0, 0],
      [1, 0, 0],
    ],
  ),
  diverging(
    'narrows-signed',
    'blue below zero, light at zero, orange above',
    ['blue', 'pale blue', 'white', 'orange'],
    [0.97, 0.58],
    [255, 45],
  ),
  diverging(
    'narrows-signed-dark',
    'blue below zero, dark at zero, orange above',
    ['blue', 'dark blue', 'black', 'orange'],
    [0.22, 0.8],
    [245, 58],
  ),
];

/** The map that is taken when none is asked for. @param dark what it lies on is dark: a radiograph, the dark theme's cards */
export const defaultColourMap = (signed: boolean, dark = false): ColourMap =>
  colourMap(signed ? (dark ? 'narrows-signed-dark' : 'narrows-signed') : 'narrows-heat');

/** The colour map called `name`. @throws NarrowsError that lists the names there are. */
export function colourMap(name: string): ColourMap {
  const found = colourMaps.find(map => map.name === name);
  if (found) return found;
  throw new NarrowsError(`There is no colour map '${name}'; choose one of ${colourMaps.map(map => map.name).join(', ')}.`, {
    kind: 'usage',
  });
}

/** `#rrggbb` of an RGB triple (0–255, rounded). */
export const hex = (rgb: Triple): string =>
  `#${rgb
    .map(v =>
      Math.round(Math.min(255, Math.max(0, v)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
