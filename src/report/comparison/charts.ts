/** @file Which charts a part has, for the page and for files. */
import type { Analysis, MetricTable, PartAnalysis } from './analyse.ts';
import { byFamily } from './by-category.ts';
import { partTitle, slug } from './format.ts';
import type { Chart } from './svg/chart.ts';
import { costChart } from './svg/cost-chart.ts';
import { curvesChart, type MethodCurves } from './svg/curves-chart.ts';
import { forestChart } from './svg/forest-chart.ts';
import type { ChartTheme } from './svg/palette.ts';
import { rankChart } from './svg/rank-chart.ts';

/** A chart under a name for its file. */
export interface NamedChart {
  readonly name: string;
  readonly kind: 'ranks' | 'curves' | 'cost' | 'forest';
  readonly chart: Chart;
}

/** Metrics against which cost is drawn: the first of faithfulness and the first of localisation, else the first with a direction. */
export function qualityMetrics(tables: readonly MetricTable[]): MetricTable[] {
  const judged = tables.filter(t => t.best !== undefined && t.metric.category !== 'cost');
  const main = (['faithfulness', 'localisation'] as const).flatMap(category =>
    judged.filter(t => t.metric.category === category).slice(0, 1),
  );
  return main.length > 0 ? main : judged.slice(0, 1);
}

/** Charts of a part; forest plots, one per metric, only where asked for. */
export function partCharts({ results }: Analysis, part: PartAnalysis, theme: ChartTheme, forests: boolean): NamedChart[] {
  const methods = byFamily(results.methods);
  const title = partTitle(part.part);
  const charts: NamedChart[] = [];
  const add = (kind: NamedChart['kind'], name: string, chart: Chart | undefined): void => {
    if (chart) charts.push({ kind, name, chart });
  };
  add('ranks', 'ranks', rankChart(part, methods, `Ranks. ${title}`, theme));
  const curves = methods.flatMap((method): MethodCurves[] => {
    const { insertion, deletion } = part.part.curves[method.name] ?? {};
    return insertion || deletion ? [{ method, insertion, deletion }] : [];
  });
  if (curves.length > 0) add('curves', 'curves', curvesChart(curves, results.reference, `Curves. ${title}`, theme));
  for (const table of qualityMetrics(part.tables))
    add('cost', `cost-${slug(table.metric.name)}`, costChart(part, table, methods, `Cost against ${table.metric.title}. ${title}`, theme));
  if (forests)
    for (const table of part.tables)
      add('forest', `forest-${slug(table.metric.name)}`, forestChart(table, methods, results.reference, `Differences. ${title}`, theme));
  return charts;
}
