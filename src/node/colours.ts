/** @file Colours in the terminal: `util.styleText` where the stream wants colours, plain text where it does not. */
import { styleText } from 'node:util';

/** What this module needs to know of a stream; `process.stdout` and `process.stderr` fit. */
export interface ColourStream {
  readonly isTTY?: boolean;
  getColorDepth?(env?: object): number;
}

/** Red, green, blue, each 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Formats of `util.styleText`, e.g. `bold`, `red`. */
export type TextStyle = string | readonly string[];

/** Styles text for one stream. */
export interface Colours {
  readonly enabled: boolean;
  style(style: TextStyle, text: string): string;
  /** `text` on a background colour, in black or white, whichever reads better; 24 bits where the terminal has them, else 256 colours. */
  background(colour: Rgb, text: string): string;
}

/**
 * Colours for a stream. `FORCE_COLOR` (`0` or `false`: off, else on) is stronger than `NO_COLOR`, as in Node itself; without either a
 * terminal that is not dumb gets colours.
 */
export function createColours(stream: ColourStream, env: Readonly<Record<string, string | undefined>> = process.env): Colours {
  const forced = env.FORCE_COLOR;
  const wanted =
    forced !== undefined ? forced !== '0' && forced !== 'false' : !env.NO_COLOR && env.TERM !== 'dumb' && stream.isTTY === true;
  const full = /truecolor|24bit/i.test(env.COLORTERM ?? '') || forced === '3' || (stream.getColorDepth?.(env) ?? 1) >= 24;
  if (!wanted) return { enabled: false, style: (_, text) => text, background: (_, text) => text };
  return {
    enabled: true,
    style: styled,
    background(colour, text) {
      const fill = full ? `48;2;${colour.map(Math.round).join(';')}` : `48;5;${nearest256(colour)}`;
      const ink = luminance(colour) > 0.179 ? '38;5;16' : '38;5;231';
      return `\x1b[${fill};${ink}m${text}\x1b[0m`;
    },
  };
}

// Node 22 made `styleText` ask stdout; the decision has been made above, for the stream that will be written to.
const styled = (style: TextStyle, text: string): string =>
  (styleText as unknown as (style: TextStyle, text: string, options: object) => string)(style, text, { validateStream: false });

/** Relative luminance (WCAG 2.1); black and white contrast equally at 0.179. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map(v => (v <= 10.31475 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const LEVELS = [0, 95, 135, 175, 215, 255];

/** Index of the nearest of xterm's 256 colours, among the 6x6x6 cube and the 24 greys. */
function nearest256(colour: Rgb): number {
  const step = (v: number) => LEVELS.reduce((best, level, i) => (Math.abs(level - v) < Math.abs(LEVELS[best] - v) ? i : best), 0);
  const [r, g, b] = colour.map(step);
  const grey = Math.min(23, Math.max(0, Math.round(((colour[0] + colour[1] + colour[2]) / 3 - 8) / 10)));
  const distance = (other: Rgb) => colour.reduce((sum, v, i) => sum + (v - other[i]) ** 2, 0);
  const level = 8 + 10 * grey;
  const useGrey = distance([level, level, level]) < distance([LEVELS[r], LEVELS[g], LEVELS[b]]);
  return useGrey ? 232 + grey : 16 + 36 * r + 6 * g + b;
}
