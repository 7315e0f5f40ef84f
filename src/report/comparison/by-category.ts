/** @file Tables of methods × metrics: a part's metrics by category, its methods by family. What Markdown, LaTeX and HTML lay out. */
import { FAMILIES } from '../../attribution/method.ts';
import type { ResultMethod } from '../../evaluation/compare/results.ts';
import { CATEGORIES, type Category } from '../../evaluation/metrics/metric.ts';
import type { Analysis, MethodRow, MetricTable, PartAnalysis } from './analyse.ts';

/** One category's metrics side by side, or those of several small ones. */
export interface CategoryTable {
  readonly categories: readonly Category[];
  readonly metrics: readonly MetricTable[];
  /** Methods that any of the metrics judged, family by family; a cell for every metric, undefined where it did not judge. */
  readonly methods: readonly { readonly method: ResultMethod; readonly cells: readonly (MethodRow | undefined)[] }[];
}

/** Categories that never share a table. */
const SEPARATE: ReadonlySet<Category> = new Set(['paper', 'faithfulness', 'localisation']);

/**
 * The tables of a part, in the order of categories.
 * @param together neighbouring smaller categories share a table while it has at most so many metrics
 * @param most a category with more metrics is spread evenly over several tables
 */
export function byCategory(
  { results }: Pick<Analysis, 'results'>,
  { tables }: PartAnalysis,
  { together = 1, most = Number.POSITIVE_INFINITY }: { readonly together?: number; readonly most?: number } = {},
): CategoryTable[] {
  const groups: { categories: Category[]; metrics: MetricTable[] }[] = [];
  for (const category of CATEGORIES) {
    const metrics = tables.filter(t => t.metric.category === category);
    const last = groups[groups.length - 1];
    if (metrics.length === 0) continue;
    if (last && !SEPARATE.has(last.categories[0]) && last.metrics.length + metrics.length <= together) {
      last.categories.push(category);
      last.metrics.push(...metrics);
    } else {
      const count = Math.max(1, Math.ceil(metrics.length / most));
      const size = Math.ceil(metrics.length / count);
      for (let k = 0; k < count; k++) groups.push({ categories: [category], metrics: metrics.slice(k * size, (k + 1) * size) });
    }
  }
  const ordered = byFamily(results.methods);
  return groups.map(({ categories, metrics }) => {
    const rows = metrics.map(t => new Map(t.rows.map(row => [row.method, row])));
    const methods = ordered
      .map(method => ({ method, cells: rows.map(cells => cells.get(method.name)) }))
      .filter(({ cells }) => cells.some(cell => cell !== undefined));
    return { categories, metrics, methods };
  });
}

/** Methods family by family, each family in the order given. */
export const byFamily = (methods: readonly ResultMethod[]): ResultMethod[] =>
  FAMILIES.flatMap(family => methods.filter(m => m.family === family));

/** Not the best, yet not clearly different from it. */
export const likeBest = (row: MethodRow): boolean => !row.best && row.toBest?.verdict === 'alike';

/** Pairs on which the most thoroughly judged method of a table was judged. */
export const fullPairs = ({ rows }: MetricTable): number => rows.reduce((most, row) => Math.max(most, row.pairs + row.undefinedPairs), 0);
