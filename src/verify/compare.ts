/** @file One tensor against its reference. */
import type { FloatTensor } from '../tensor/tensor.ts';
import { measureOf, type ToleranceKind } from './tolerance.ts';

/** One line of a report. */
export interface VerifyRow {
  readonly name: string;
  readonly kind: ToleranceKind;
  readonly shape: readonly number[];
  /** Largest |own − reference| over all entries; infinite where either holds NaN or the infinities differ. */
  readonly absoluteError: number;
  /** The same, divided by the largest |entry| of the reference (or by a larger floor; by 1 where all of it is zero). */
  readonly relativeError: number;
  /** What `relativeError` is relative to. */
  readonly scale: number;
  readonly tolerance: number;
  /** Which of the two errors the tolerance limits. */
  readonly measure: 'absolute' | 'relative';
  readonly ok: boolean;
  /** For a tensor that departs: how many entries do, and the worst of them. Else: how many agree only because of the reference's rounding. */
  readonly note?: string;
}

/** Largest finite magnitude of an array. */
export function largest(data: Float32Array): number {
  let most = 0;
  for (const value of data) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  return most;
}

/** The tolerance that applies, and what may add to it; see `Computed`. */
export interface Limits {
  readonly tolerance: number;
  readonly scaleFloor?: number;
  readonly rounding?: Float32Array;
  readonly exact?: boolean;
}

/** Compares all entries; shapes must fit. */
export function compareTensors(name: string, kind: ToleranceKind, ours: FloatTensor, reference: FloatTensor, limits: Limits): VerifyRow {
  const { scaleFloor = 0, rounding, exact = false } = limits;
  const tolerance = exact ? 0 : limits.tolerance;
  const scale = Math.max(largest(reference.data), scaleFloor) || 1;
  const measure = exact ? 'absolute' : measureOf(kind);
  const limit = measure === 'absolute' ? tolerance : tolerance * scale;
  let error = 0;
  let beyond = 0;
  let excused = 0;
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < reference.data.length; i++) {
    const [a, b] = [ours.data[i], reference.data[i]];
    const distance = a === b ? 0 : Math.abs(a - b);
    const size = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    if (size > error) error = size;
    if (size <= limit) continue;
    const over = size - limit - (rounding?.[i] ?? 0);
    if (over <= 0) {
      excused++;
      continue;
    }
    beyond++;
    if (over > excess) {
      excess = over;
      worst = i;
    }
  }
  const row = { name, kind, shape: reference.shape, absoluteError: error, relativeError: error / scale, scale, tolerance, measure };
  const count = reference.data.length;
  if (beyond === 0)
    return excused
      ? { ...row, ok: true, note: `${excused} of ${count} agree only within the reference's own rounding` }
      : { ...row, ok: true };
  const place = `at [${indexOf(worst, reference.shape).join(', ')}] ${ours.data[worst]}, reference ${reference.data[worst]}`;
  return { ...row, ok: false, note: `${beyond} of ${count} beyond; ${place}` };
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}
