/** @file Stored numbers to values and to what a screen shows: PS3.3 C.11.1 (modality) and C.11.2 (VOI), as pydicom computes them. No Node imports. */
import type { DicomHeader, Lut } from './dataset.ts';

/** Maps values through a table. */
function throughLut(values: ArrayLike<number>, { first, entries }: Lut): Float64Array {
  const last = entries.length - 1;
  return Float64Array.from(values, v => entries[Math.min(last, Math.max(0, Math.trunc(v) - first))]);
}

/** Values by the file's table, or by slope and intercept; the numbers as they are without either (pydicom's `apply_modality_lut`). */
export function modalityValues(stored: ArrayLike<number>, { modalityLut, slope, intercept }: DicomHeader): Float64Array {
  if (modalityLut) return throughLut(stored, modalityLut);
  if (slope === undefined || intercept === undefined) return Float64Array.from(stored);
  return Float64Array.from(stored, v => v * slope + intercept);
}

/** The least and the largest number that a window's output can be. */
export function outputRange({ modalityLut, slope, intercept, signed, bitsStored }: DicomHeader): readonly [low: number, high: number] {
  if (modalityLut) return [0, 2 ** modalityLut.bits - 1];
  const [low, high] = signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
  return slope === undefined || intercept === undefined ? [low, high] : [low * slope + intercept, high * slope + intercept];
}

/** Which of a file's ways to show it: a table or a window, from 0 among the tables, then the windows. */
export interface View {
  readonly kind: 'table' | 'window';
  readonly index: number;
}

/** A file's views, in the order in which they are numbered: tables first, as pydicom prefers them. */
export const viewsOf = ({ voiLuts, windows }: DicomHeader): View[] => [
  ...voiLuts.map((_, index) => ({ kind: 'table', index }) as const),
  ...windows.map((_, index) => ({ kind: 'window', index }) as const),
];

/** Whether a view can be computed; a width of nothing cannot. */
export function viewFault(header: DicomHeader, view: View): string | undefined {
  if (view.kind === 'table') return undefined;
  const { width } = header.windows[view.index];
  if (!['LINEAR', 'LINEAR_EXACT', 'SIGMOID'].includes(header.voiFunction)) return 'its VOI LUT function is unknown';
  return width < (header.voiFunction === 'LINEAR' ? 1 : Number.MIN_VALUE) ? `its window has the width ${width}` : undefined;
}

/** What a view makes of values (pydicom's `apply_voi_lut`), and the numbers that are black and white in it. */
export function viewValues(
  values: Float64Array,
  header: DicomHeader,
  view: View,
): { readonly data: Float64Array; readonly range: readonly [number, number] } {
  if (view.kind === 'table') {
    const lut = header.voiLuts[view.index];
    return { data: throughLut(values, lut), range: [0, 2 ** lut.bits - 1] };
  }
  const { center, width } = header.windows[view.index];
  const [low, high] = outputRange(header);
  const range = high - low;
  if (header.voiFunction === 'SIGMOID')
    return { data: values.map(v => range / (1 + Math.exp((-4 * (v - center)) / width)) + low), range: [low, high] };
  const exact = header.voiFunction === 'LINEAR_EXACT';
  const c = exact ? center : center - 0.5;
  const w = exact ? width : width - 1;
  const [from, to] = [c - w / 2, c + w / 2];
  return { data: values.map(v => (v <= from ? low : v > to ? high : ((v - c) / w + 0.5) * range + low)), range: [low, high] };
}

/** The values that a window makes black and white. */
export function windowEnds({ windows, voiFunction }: DicomHeader, index: number): readonly [low: number, high: number] {
  const { center, width } = windows[index];
  return voiFunction === 'LINEAR'
    ? [center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2]
    : [center - width / 2, center + width / 2];
}
