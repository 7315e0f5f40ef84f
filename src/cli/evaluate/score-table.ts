/** @file Scores as tables for the terminal. */
import type { Score } from '../../evaluation/scorers/score.ts';
import type { Figures } from '../../evaluation/scorers/scorer.ts';
import { formatCount, formatNumber } from '../../system/format.ts';
import { formatTable } from '../table.ts';

/** Four digits, but never fewer than one behind the point of a score such as 1,787.5. */
function cell(value: number | undefined): string {
  if (value === undefined) return '';
  if (Number.isNaN(value)) return '–';
  if (Number.isInteger(value)) return formatCount(value);
  return Math.abs(value) < 1000
    ? formatNumber(value, 4)
    : value.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

const keysOf = (all: readonly Figures[]): string[] => [...new Set(all.flatMap(figures => Object.keys(figures)))];

/** Rows of groups under the figures that any of them has. */
function groupTable(title: string, groups: Readonly<Record<string, Figures>>, columns: number): string {
  const keys = keysOf(Object.values(groups));
  const rows = Object.entries(groups).map(([name, figures]) => [name, ...keys.map(key => cell(figures[key]))]);
  return formatTable([title, ...keys], rows, columns);
}

const intervalText = ({ metric, low, high, clusters }: Score['interval'], metrics: Figures): string =>
  Number.isNaN(low)
    ? `${metric} ${cell(metrics[metric])}, no interval (${clusters} independent ${clusters === 1 ? 'picture' : 'pictures'})`
    : `${metric} ${cell(metrics[metric])}, 95 % interval ${cell(low)} to ${cell(high)} (${formatCount(clusters)} independent pictures)`;

const countText = ({ n, missing, duplicates, unknown }: Score): string =>
  [
    `${formatCount(n)} ${n === 1 ? 'question counts' : 'questions count'}`,
    ...(missing > 0 ? [`${formatCount(missing)} without an answer`] : []),
    ...(duplicates > 0 ? [`${formatCount(duplicates)} answered twice`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} answers to unknown questions`] : []),
  ].join(', ');

/** One score: the primary figure with its interval, all figures, then splits and categories. */
export function scoreTable(title: string, score: Score, columns: number): string {
  const { bySplit = {}, byCategory } = score;
  const sameGroups = Object.keys(bySplit).join('\0') === Object.keys(byCategory).join('\0');
  return [
    `${title} by ${score.scorer}: ${countText(score)}`,
    intervalText(score.interval, score.metrics),
    '',
    groupTable('', { all: score.metrics, ...bySplit }, columns),
    ...(Object.keys(byCategory).length > 0 && !sameGroups ? ['', groupTable('category', byCategory, columns)] : []),
  ].join('\n');
}

/** Several scorers of the same answers side by side: a column each, the primary figure first. */
export function scoresTable(title: string, scores: readonly Score[], columns: number): string {
  const line = (name: string, value: (score: Score) => string): string[] => [name, ...scores.map(value)];
  const rows = [
    line('primary figure', ({ interval }) => interval.metric),
    line('its value', ({ interval, metrics }) => cell(metrics[interval.metric])),
    line('95 % interval', ({ interval: { low, high } }) => (Number.isNaN(low) ? '–' : `${cell(low)} to ${cell(high)}`)),
    line('questions', ({ n }) => formatCount(n)),
    ...keysOf(scores.map(({ metrics }) => metrics)).map(key => line(key, ({ metrics }) => cell(metrics[key]))),
  ];
  return `${title}: the same answers by each scorer\n\n${formatTable(['', ...scores.map(({ scorer }) => scorer)], rows, columns)}`;
}
