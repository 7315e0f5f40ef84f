/** @file Tables of methods × metrics: a part's metrics by category, its methods by family. What Markdown, LaTeX and HTML lay out. */
import { FAMILIES } from '../../method.ts';
import { CATEGORIES, type Category } from '../../metrics/metric.ts';
import type { ResultMethod } from '../results.ts';
import type { Analysis, MethodRow, MetricTable, PartAnalysis } from './analyse.ts';

/** One category's metrics side by side. */
export interface CategoryTable {
  readonly category: Category;
  readonly metrics: readonly MetricTable[];
  /** Methods that any of the metrics judged, family by family; a cell for every metric, undefined where it did not judge. */
  readonly methods: readonly { readonly method: ResultMethod; readonly cells: readonly (MethodRow | undefined)[] }[];
}

/** The tables of a part, in the order of categories. */
export function byCategory({ results }: Pick<Analysis, 'results'>, { tables }: PartAnalysis): CategoryTable[] {
  const ordered = byFamily(results.methods);
  return CATEGORIES.flatMap(category => {
    const metrics = tables.filter(t => t.metric.category === category);
    if (metrics.length === 0) return [];
    const rows = metrics.map(t => new Map(t.rows.map(row => [row.method, row])));
    const methods = ordered
      .map(method => ({ method, cells: rows.map(of => of.get(method.name)) }))
      .filter(({ cells }) => cells.some(cell => cell !== undefined));
    return [{ category, metrics, methods }];
  });
}

/** Methods family by family, each family in the order given. */
export const byFamily = (methods: readonly ResultMethod[]): ResultMethod[] =>
  FAMILIES.flatMap(family => methods.filter(m => m.family === family));

/** Not the best, yet not told apart from it. */
export const likeBest = (row: MethodRow): boolean => !row.best && row.toBest?.verdict === 'alike';

/** Whether a row rests on fewer pairs than the table's fullest, or has values that are not defined. */
export const fullPairs = ({ rows }: MetricTable): number => rows.reduce((most, row) => Math.max(most, row.pairs + row.undefinedPairs), 0);
