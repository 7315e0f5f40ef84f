/** @file The matrices of several runs as one: sets, and within a set the models, and within a model the severities; a row per shift. */
import { type Matrix, type MatrixCell, matrixOf } from '../../../report/evaluation/matrix.ts';
import type { RobustnessView } from '../../evidence.ts';

/** A set of one run. */
export interface Block {
  readonly key: string;
  readonly title: string;
  /** The model, and the file where two runs are of one model. */
  readonly model: string;
  readonly severities: readonly string[];
}

/** A shift under all blocks. */
export interface JointRow {
  readonly name: string;
  /** In the order of the blocks' severities. */
  readonly cells: readonly (MatrixCell | undefined)[];
}

/** The joint matrix. */
export interface JointMatrix {
  readonly blocks: readonly Block[];
  readonly groups: readonly { readonly kind: Matrix['groups'][number]['kind']; readonly rows: readonly JointRow[] }[];
  /** Largest change by size of all runs: one scale for all colours. */
  readonly largest: number;
}

interface Part extends Block {
  readonly matrix: Matrix;
  /** Where its severities begin in the rows of its matrix. */
  readonly from: number;
}

/** What a run is called beside others: its model, and its file where that alone would not tell. */
export function runName(run: RobustnessView, runs: readonly RobustnessView[]): string {
  const { model } = run.results;
  return runs.filter(each => each.results.model === model).length > 1 ? `${model} (${run.name})` : model;
}

/** @returns undefined where no run has changes */
export function jointMatrix(runs: readonly RobustnessView[]): JointMatrix | undefined {
  const parts = runs.flatMap((run): Part[] => {
    const matrix = matrixOf(run.results);
    if (!matrix) return [];
    let from = 0;
    return matrix.sets.map(({ set, severities }) => {
      const part = { key: `${set.benchmark} ${set.prompt}`, title: set.title, model: runName(run, runs), severities, matrix, from };
      from += severities.length;
      return part;
    });
  });
  if (parts.length === 0) return undefined;
  const keys = [...new Set(parts.map(part => part.key))];
  const ordered = keys.flatMap(key => parts.filter(part => part.key === key));
  const matrices = [...new Set(parts.map(part => part.matrix))];
  const kinds = [...new Set(matrices.flatMap(matrix => matrix.groups.map(group => group.kind)))];
  const rowsOf = (matrix: Matrix, kind: string) => matrix.groups.find(group => group.kind === kind)?.rows ?? [];
  const groups = kinds.map(kind => ({
    kind,
    rows: [...new Set(matrices.flatMap(matrix => rowsOf(matrix, kind).map(row => row.name)))].map(name => ({
      name,
      cells: ordered.flatMap(({ matrix, from, severities }) => {
        const row = rowsOf(matrix, kind).find(each => each.name === name);
        return severities.map((_, i) => row?.cells[from + i]);
      }),
    })),
  }));
  return {
    blocks: ordered.map(({ key, title, model, severities }) => ({ key, title, model, severities })),
    groups,
    largest: Math.max(...matrices.map(matrix => matrix.largest)),
  };
}
