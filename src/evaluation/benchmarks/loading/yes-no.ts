/** @file Labels of yes-or-no questions. */
import { cellOf, kindOf, type TableRow } from '../../../inputs/tables/table.ts';
import { NarrowsError } from '../../../system/errors.ts';

/** `yes` or `no` from a label such as `Yes`, `no ` or `No.`. @throws NarrowsError naming row and column for anything else */
export function yesNoOf(row: TableRow, ...columns: readonly string[]): 'yes' | 'no' {
  const value = cellOf(row, ...columns);
  const label = typeof value === 'string' ? value.trim().toLowerCase().replace(/\.$/, '') : value;
  if (label === 'yes' || label === 'no') return label;
  const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new NarrowsError(`${row.where}: column ${columns[0]} should say yes or no, but it says ${found}.`);
}
