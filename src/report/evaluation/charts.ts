/** @file The report's pictures as files, for light and dark pages. */
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import { slug } from '../comparison/format.ts';
import type { Chart } from '../comparison/svg/chart.ts';
import { darkChart, paperChart } from '../comparison/svg/palette.ts';
import { matrixOf } from './matrix.ts';
import { distanceChart, distancesOf } from './svg/distance-chart.ts';
import { dropsChart } from './svg/drops-chart.ts';
import { heat } from './svg/heat.ts';
import { heatMap } from './svg/heat-map.ts';

/** A chart with the name of its file, without folder and ending. */
export interface NamedChart {
  readonly name: string;
  readonly chart: Chart;
}

/** Themes in which every file is written. */
export const THEMES = [
  ['light', paperChart],
  ['dark', darkChart],
] as const;

/** Names that were given before get a number. */
export function uniqueNames(): (name: string) => string {
  const taken = new Set<string>();
  return name => {
    let free = name;
    for (let k = 2; taken.has(free); k++) free = `${name}-${k}`;
    taken.add(free);
    return free;
  };
}

/** The matrix, and per set the drops and the distances. */
export function evaluationCharts(results: EvaluationResults): NamedChart[] {
  const matrix = matrixOf(results);
  const unique = uniqueNames();
  const named = results.sets.map(set => unique(slug(set.benchmark)));
  return THEMES.flatMap(([theme, colours]) => {
    const map = matrix ? [{ name: `shifts-${theme}`, chart: heatMap(matrix, results.model, colours, heat[theme]) }] : [];
    const perSet = results.sets.flatMap((set, i) => {
      const drops = dropsChart(set, colours);
      const distances = distancesOf(set).map(plot => ({
        name: `${slug(plot.distance)}-${named[i]}-${theme}`,
        chart: distanceChart(set, plot, colours),
      }));
      return [...(drops ? [{ name: `changes-${named[i]}-${theme}`, chart: drops }] : []), ...distances];
    });
    return [...map, ...perSet];
  });
}
