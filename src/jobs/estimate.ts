/** @file What a run will take, kind by kind of its tasks: by the times of earlier runs, or by what it has done itself so far. */
import { formatCount, formatDuration } from '../system/format.ts';
import type { Pace } from './cell.ts';

/** Seconds below which an estimate is not worth a line. */
const SHORT = 20;

/** What is left of a kind of tasks. */
export interface Remaining {
  readonly kind: string;
  readonly units: number;
  readonly pace?: Pace;
}

/** The run as a line names it. */
export interface EstimatedRun {
  readonly label: string;
  readonly unit: string;
  /** Tasks at once. */
  readonly width: number;
  readonly total: number;
  /** Where the times are from, such as `the first 12 s` or `an earlier run`. */
  readonly source: string;
}

/** Seconds that are left of the kinds whose pace is known. */
export const secondsLeft = (parts: readonly Remaining[], width: number): number =>
  parts.reduce((sum, { units, pace }) => sum + (pace && pace.units > 0 ? (pace.seconds / pace.units) * units : 0), 0) / Math.max(1, width);

/**
 * How much there is to do and what it is expected to take, in one line.
 * @returns undefined where nothing is known yet, or all that is left is known and short
 */
export function estimateLine({ label, unit, width, total, source }: EstimatedRun, parts: readonly Remaining[]): string | undefined {
  const open = parts.filter(({ units }) => units > 0);
  const unknown = open.filter(({ pace }) => !pace?.units);
  const left = secondsLeft(open, width);
  if (unknown.length === open.length || (unknown.length === 0 && left < SHORT)) return undefined;
  const units = open.reduce((sum, part) => sum + part.units, 0);
  const rest = unknown.length > 0 ? `; not in it: ${unknown.map(({ kind }) => kind).join(', ')}, not yet timed` : '';
  return `${label}: ${formatCount(units)} of ${formatCount(total)} ${unit} are left, which will take about ${formatDuration(left)} (by ${source})${rest}.`;
}
