/** @file Bootstrap of a mean over two crossed factors: every seed meets every scene. */
import type { BootstrapOptions, Estimate } from './bootstrap.ts';
import { bootstrapInterval } from './bootstrap.ts';
import { standardDeviation } from './descriptive.ts';

/** A cell of the table: the sum of its values and their number. */
export interface Cell {
  readonly sum: number;
  readonly count: number;
}

/**
 * Interval (percentiles) of the mean of all values of a table whose rows and columns are both samples: each resample draws rows and, apart
 * from them, columns with replacement (the pigeonhole bootstrap of Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007,
 * which is conservative). A factor with a single level is not resampled.
 * @param table [rows][columns], for example [seeds][scenes]. @throws RangeError for rows of unequal length or a table without values
 */
export function crossedBootstrap(table: readonly (readonly Cell[])[], options: Omit<BootstrapOptions, 'method'>): Estimate {
  const { random, step = 0, resamples = 2000, level = 0.95 } = options;
  const [rows, columns] = [table.length, table[0]?.length ?? 0];
  if (table.some(row => row.length !== columns)) throw new RangeError('All rows of a crossed table must have the same columns.');
  const meanOf = (row: (i: number) => number, column: (j: number) => number): number => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < rows; i++) {
      const cells = table[row(i)];
      for (let j = 0; j < columns; j++) {
        const cell = cells[column(j)];
        sum += cell.sum;
        count += cell.count;
      }
    }
    return sum / count;
  };
  const same = (i: number): number => i;
  const estimate = meanOf(same, same);
  if (Number.isNaN(estimate)) throw new RangeError('The crossed table has no values.');
  const words = new Uint32Array(rows + columns);
  const replicates = Float64Array.from({ length: resamples }, (_, r) => {
    random.words(step, r, words);
    const draw = (at: number, n: number): number => Math.floor(words[at] * 2 ** -32 * n);
    return meanOf(
      i => draw(i, rows),
      j => draw(rows + j, columns),
    );
  }).filter(value => !Number.isNaN(value));
  const [low, high] = bootstrapInterval(estimate, replicates, level);
  return { estimate, low, high, level, standardError: standardDeviation(replicates) };
}
