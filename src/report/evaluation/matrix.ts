/** @file The matrix of a run: shifts in rows, sets and severities in columns, in each cell what the shift changes against the clean set. */
import type { AgainstClean, EvaluationResults, ScenarioResult, SetResult } from '../../evaluation/run/results.ts';
import { isSignificant, KINDS, type Kind, pointsText, severityName, shiftName } from './view.ts';

/** A cell: a set under a shift of one severity. */
export interface MatrixCell {
  readonly result: ScenarioResult;
  readonly change: AgainstClean;
  /** Significant by the paired, corrected test. */
  readonly apart: boolean;
}

/** A shift under all sets and severities; a cell is undefined where the set was not asked so. */
export interface MatrixRow {
  readonly name: string;
  readonly cells: readonly (MatrixCell | undefined)[];
}

/** A set with the severities that it was asked under. */
export interface MatrixSet {
  readonly set: SetResult;
  readonly severities: readonly string[];
}

/** The matrix; columns are the severities of the first set, then of the second, and so on. */
export interface Matrix {
  readonly sets: readonly MatrixSet[];
  readonly groups: readonly { readonly kind: Kind; readonly rows: readonly MatrixRow[] }[];
  /** Largest change by size, 0 to 1: what the strongest colour stands for. */
  readonly largest: number;
}

const compared = ({ scenarios }: SetResult) =>
  scenarios.flatMap(result => (result.againstClean ? [{ result, change: result.againstClean }] : []));

/** Names of rows: the shift's, or the scenario's whole name where two scenarios of a set would share a cell. */
function rowNames(sets: readonly SetResult[]): (result: ScenarioResult) => string {
  const shared = new Set<string>();
  for (const set of sets) {
    const seen = new Map<string, string>();
    for (const { result } of compared(set)) {
      const { scenario, kind } = result;
      const place = `${kind}/${shiftName(scenario)}/${severityName(scenario)}`;
      if (seen.has(place)) shared.add(`${kind}/${shiftName(scenario)}`);
      seen.set(place, scenario.name);
    }
  }
  return ({ scenario, kind }) => (shared.has(`${kind}/${shiftName(scenario)}`) ? scenario.name : shiftName(scenario));
}

const bySize = (a: string, b: string): number => Number.parseFloat(a) - Number.parseFloat(b) || a.length - b.length;

/** The matrix; undefined where no set has changes against a clean set. */
export function matrixOf({ sets }: EvaluationResults): Matrix | undefined {
  const shown = sets.filter(set => compared(set).length > 0);
  if (shown.length === 0) return undefined;
  const nameOf = rowNames(shown);
  const columns = shown.map(set => ({
    set,
    severities: [...new Set(compared(set).map(({ result }) => severityName(result.scenario)))].sort(bySize),
  }));
  const groups = KINDS.flatMap(kind => {
    const names = [...new Set(shown.flatMap(set => compared(set).flatMap(({ result }) => (result.kind === kind ? [nameOf(result)] : []))))];
    const rows = names.map((name): MatrixRow => {
      const cellOf = (set: SetResult, severity: string): MatrixCell | undefined => {
        const found = compared(set).find(
          ({ result }) => result.kind === kind && nameOf(result) === name && severityName(result.scenario) === severity,
        );
        return found && { ...found, apart: isSignificant(found.change) };
      };
      return { name, cells: columns.flatMap(({ set, severities }) => severities.map(severity => cellOf(set, severity))) };
    });
    return rows.length > 0 ? [{ kind, rows }] : [];
  });
  const changes = shown.flatMap(set => compared(set).map(({ change }) => Math.abs(change.difference)));
  return { sets: columns, groups, largest: Math.max(...changes) };
}

/** Points of a cell, with a dagger where it is not significant. */
export const cellText = ({ change, apart }: MatrixCell): string => `${pointsText(change.difference)}${apart ? '' : '†'}`;

/** Steps of colour on each side of nothing. */
export const STEPS = 10;

/** Strength of a cell's colour, -STEPS (the largest drop) to STEPS (the largest gain). @param largest of the matrix */
export function shadeOf(difference: number, largest: number): number {
  // A matrix in which nothing moves by a point must not look alarming.
  const scale = Math.max(largest, 0.05);
  return Math.round(STEPS * Math.max(-1, Math.min(1, difference / scale))) + 0;
}
