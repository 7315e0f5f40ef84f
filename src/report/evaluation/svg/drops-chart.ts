/** @file Forest plot of a set: what every scenario changes against the clean set, with interval and corrected p-value. */
import type { SetResult } from '../../../evaluation/run/results.ts';
import { pText } from '../../comparison/format.ts';
import type { Chart } from '../../comparison/svg/chart.ts';
import { type ForestRow, forestPlot } from '../../comparison/svg/forest-plot.ts';
import type { ChartTheme } from '../../comparison/svg/palette.ts';
import { byKind, isSignificant, KIND_TITLES, pointsInterval, pointsText, scenarioTitle } from '../view.ts';

/** The chart; undefined where nothing is compared with a clean set. */
export function dropsChart(set: SetResult, theme: ChartTheme): Chart | undefined {
  const rows = byKind(set).flatMap(({ scenario, kind, againstClean: change }): ForestRow[] => {
    if (!change) return [];
    const text = `${pointsText(change.difference)} ${pointsInterval(change)}`.trim();
    const verdict = isSignificant(change) ? (change.difference < 0 ? 'worse' : 'better') : 'alike';
    return [
      {
        name: scenarioTitle(scenario),
        ...{ estimate: 100 * change.difference, low: 100 * change.low, high: 100 * change.high, text, verdict },
        p: pText(change.adjusted),
        about: `${scenarioTitle(scenario)}: ${text} points, ${change.n} questions, p ${pText(change.adjusted)}`,
        group: KIND_TITLES[kind],
      },
    ];
  });
  const words = {
    title: `Changes against the clean set. ${set.title}`,
    heading: `${set.title}: change of the share that is right, in points`,
    columns: ['points [95 %]', 'p (Holm)'],
    better: 'right',
    about: rows.map(({ about }) => about).join('; '),
  } as const;
  return forestPlot(rows, words, theme);
}
