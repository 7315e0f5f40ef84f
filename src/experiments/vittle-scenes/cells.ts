/** @file What the chain is read from: a value of each link by run and shift. */

import { mean } from '../../tensor/statistics/descriptive.ts';
import { movements } from './analyse.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';

/** A run under a shift. */
export interface ChainCell {
  readonly condition: string;
  readonly seed: number;
  readonly exam: string;
  /** Nats per dimension of image tokens at the run's end; undefined where nothing is charged. */
  readonly kl?: number;
  /** Between the clean and the shifted exam, behind the block, nats: of image tokens. */
  readonly jsd: number;
  /** Nats; undefined where it was not measured. */
  readonly emid?: number;
  /** Accuracy on closed questions, shifted less clean. */
  readonly change: number;
}

/** EMID by condition, seed and exam, nats. */
export type EmidTable = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Name of a run in `EmidTable`. */
export const runName = ({ condition, seed }: Pick<RunOutcome, 'condition' | 'seed'>): string => `${condition}-${seed}`;

/** Cells of the shifts of pictures: the primary outcome's. */
export function chainCells(runs: readonly RunOutcome[], exams: readonly ExamFacts[], emid: EmidTable = {}): ChainCell[] {
  const shifts = new Set(exams.filter(({ group }) => group === 'image').map(({ id }) => id));
  const byName = new Map(runs.map(run => [runName(run), run]));
  return movements(runs, exams)
    .filter(({ exam }) => shifts.has(exam))
    .map(({ condition, seed, exam, distance, change }) => {
      const name = runName({ condition, seed });
      return {
        ...{ condition, seed, exam, change },
        jsd: distance.rjsd_visual,
        kl: byName.get(name)!.posterior?.figures.kl_visual,
        emid: emid[name]?.[exam],
      };
    });
}

/** Mean of a value by a key of cells; cells without the value are left out. */
export function meansBy(
  cells: readonly ChainCell[],
  value: (cell: ChainCell) => number | undefined,
  key: (cell: ChainCell) => string,
): Map<string, number> {
  const groups = new Map<string, number[]>();
  for (const cell of cells) {
    const v = value(cell);
    if (v !== undefined && Number.isFinite(v)) groups.set(key(cell), [...(groups.get(key(cell)) ?? []), v]);
  }
  return new Map([...groups].map(([name, values]) => [name, mean(values)]));
}
