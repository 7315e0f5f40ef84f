/** @file Samples of more than 8 bits to bytes: films of 10, 12 and 14 bits come in 16-bit files, whose high byte is next to nothing. No Node imports. */
import { NarrowsError } from '../../system/errors.ts';
import type { ImageReading, ImageWindow, PictureWarning } from './image-reading.ts';

/** Interleaved samples of up to 16 bits. */
export interface WideSamples {
  readonly data: Uint16Array;
  /** Grey without alpha: what Pillow cuts off at 255. */
  readonly grey: boolean;
  /** Largest value that the file itself says a sample can have (PGM and PPM do). */
  readonly maximum?: number;
  /** 0 is white (some TIFF films). */
  readonly inverted?: boolean;
}

/** Bytes of the same layout, and what is to be said of them. */
export interface NarrowedSamples {
  readonly data: Uint8Array;
  readonly window: NonNullable<ImageReading['window']>;
  readonly clipped: number;
  readonly warnings: readonly PictureWarning[];
}

/** Below this a 16-bit colour picture has at most 14 bits in use, and its high byte is nearly black. */
const DARK = 1 << 14;

/** Python's `round`: halves go to the even neighbour, as in Pillow's PPM decoder. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** @throws NarrowsError for a window whose ends are no numbers or not in order */
export function checkWindow(window: ImageWindow): void {
  if (typeof window === 'string') return;
  const [low, high] = window;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new NarrowsError(`A window needs two numbers, the lower one first, not ${low} and ${high}.`, { kind: 'usage' });
}

function histogram(data: Uint16Array): Uint32Array {
  const counts = new Uint32Array(65536);
  for (let i = 0; i < data.length; i++) counts[data[i]]++;
  return counts;
}

/** Value below or at which a share of the samples lies. */
function quantile(counts: Uint32Array, total: number, share: number): number {
  let sum = 0;
  for (let value = 0; value < counts.length; value++) {
    sum += counts[value];
    if (sum >= share * total) return value;
  }
  return counts.length - 1;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

interface Rule {
  readonly low: number;
  readonly high: number;
  readonly byte: (value: number) => number;
}

const linear = (low: number, high: number): Rule => ({
  low,
  high,
  byte: v => (high > low ? Math.round((255 * (v - low)) / (high - low)) : 0),
});

/** What a window means for samples that run from `least` to `most`. */
function rule(of: { grey: boolean; maximum?: number; least: number; most: number }, window: ImageWindow): Rule {
  const { grey, maximum, least, most } = of;
  if (typeof window !== 'string') return linear(...window);
  const stated = maximum ?? 65535;
  if (window === 'pillow' && grey) {
    // A PGM of 9 to 15 bits is brought to 16 first.
    const scale = 65535 / stated;
    return { low: 0, high: Math.min(stated, Math.floor(255 / scale)), byte: v => Math.min(255, roundHalfEven(v * scale)) };
  }
  const known = maximum !== undefined && maximum < 65535;
  if (window === 'auto' && !known && (grey || most < DARK)) return linear(least, most);
  return { low: 0, high: stated, byte: maximum === undefined ? v => v >> 8 : v => roundHalfEven((v / maximum) * 255) };
}

/**
 * Maps samples to bytes by a window (see `ImageWindow`): `round(255 · (v − low) / (high − low))`, cut off at both ends. A stated maximum below 16 bits is the
 * window of `auto`.
 * @throws NarrowsError for a window out of order
 */
export function narrowSamples({ data, grey, maximum, inverted }: WideSamples, window: ImageWindow = 'auto'): NarrowedSamples {
  checkWindow(window);
  const counts = histogram(data);
  const least = counts.findIndex(count => count > 0);
  const most = counts.findLastIndex(count => count > 0);
  const { low: from, high: to, byte } = rule({ grey, maximum, least, most }, window);
  const flip = inverted && window !== 'pillow' ? 255 : 0;
  const table = Uint8Array.from(counts, (_, v) => flip ^ Math.min(255, Math.max(0, byte(v))));
  const narrow = new Uint8Array(data.length);
  for (let i = 0; i < narrow.length; i++) narrow[i] = table[data[i]];

  let lost = 0;
  for (let v = 0; v < counts.length; v++) if (v < from || v > to) lost += counts[v];
  const clipped = lost / data.length;
  const warnings: string[] = [];
  if (clipped > 0.5)
    warnings.push(
      `${percent(clipped)} of its values lie outside of ${from} to ${to} and became plain black or white, so a model sees next to nothing; its values run from ${least} to ${most} (--window ${least},${most}).`,
    );
  else if (window === 'auto' && from === least && to === most) {
    const [low, up] = [quantile(counts, data.length, 0.005), quantile(counts, data.length, 0.995)];
    if (up > low && 8 * (up - low) < to - from)
      warnings.push(
        `99 % of its values lie between ${low} and ${up}, but a few run from ${from} to ${to} and set the scale, so that it is nearly flat; try --window ${low},${up}.`,
      );
  }
  // A view of a DICOM file means nothing here: the caller says so and asks for `auto`.
  const chosen = typeof window !== 'string' ? 'given' : window === 'pillow' ? 'pillow' : 'auto';
  const said = warnings.map(message => ({ kind: 'window', message }) as const);
  return { data: narrow, window: { rule: chosen, low: from, high: to }, clipped, warnings: said };
}
