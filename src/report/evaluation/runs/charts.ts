/** @file Forest plots of a comparison: differences to the reference, and how much more or less is lost under shifts. */
import type { ComparedScenario, RunsComparison, Verdict } from '../../../evaluation/run/compare-runs.ts';
import { pText, slug } from '../../comparison/format.ts';
import type { Chart } from '../../comparison/svg/chart.ts';
import { type ForestRow, forestPlot } from '../../comparison/svg/forest-plot.ts';
import type { ChartTheme } from '../../comparison/svg/palette.ts';
import { type NamedChart, THEMES, uniqueNames } from '../charts.ts';
import { pointsInterval, pointsText } from '../view.ts';

interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

function rowOf(row: ComparedScenario, one: Difference, adjusted: number, verdict: Verdict): ForestRow {
  const text = `${pointsText(one.difference)} ${pointsInterval(one)}`.trim();
  return {
    name: row.scenario,
    ...{ estimate: 100 * one.difference, low: 100 * one.low, high: 100 * one.high, text },
    verdict: verdict === 'not significant' ? 'alike' : verdict,
    p: pText(adjusted),
    about: `${row.title}, ${row.scenario}: ${text} points, ${row.changes.n} questions, ${verdict}`,
    group: row.title,
  };
}

/** A run against the reference over all sets. @param of scores, or losses under shifts */
export function runChart({ rows, reference }: RunsComparison, run: string, of: 'score' | 'loss', theme: ChartTheme): Chart | undefined {
  const list = rows
    .filter(row => row.run === run)
    .flatMap((row): ForestRow[] => {
      if (of === 'score') return [rowOf(row, row.changes, row.adjusted, row.verdict)];
      return row.drop ? [rowOf(row, row.drop, row.drop.adjusted, row.drop.verdict)] : [];
    });
  const heading =
    of === 'score' ? `${run} minus ${reference}, points of right answers` : `Points that ${run} loses less than ${reference} under a shift`;
  const words = {
    ...{ title: heading, heading, about: list.map(({ about }) => about).join('; ') },
    columns: ['points [95 %]', 'p (Holm)'],
    better: 'right',
  } as const;
  return forestPlot(list, words, theme);
}

/** All plots of a comparison, for light and dark pages. */
export function runsCharts(comparison: RunsComparison): NamedChart[] {
  const unique = uniqueNames();
  const others = comparison.runs
    .filter(({ name }) => name !== comparison.reference)
    .map(({ name }) => ({ name, file: unique(slug(name)) }));
  return others.flatMap(({ name, file }) =>
    THEMES.flatMap(([theme, colours]) =>
      (['score', 'loss'] as const).flatMap(of => {
        const chart = runChart(comparison, name, of, colours);
        return chart ? [{ name: `${of === 'score' ? 'differences' : 'losses'}-${file}-${theme}`, chart }] : [];
      }),
    ),
  );
}
