/** @file Tables of scores: each set at a glance, every scenario with its interval, and the same answers by other rules. */
import type { EvaluationResults, ScenarioResult, SetResult } from '../../../evaluation/run/results.ts';
import type { Score } from '../../../evaluation/scorers/score.ts';
import { formatCount } from '../../../system/format.ts';
import type { Estimate } from '../../../tensor/statistics/bootstrap.ts';
import { escapeText } from '../../attribution/svg.ts';
import { type BarScale, barScale, intervalBar, numberCell, sortHead } from '../../comparison/html/cells.ts';
import { sortable } from '../../comparison/html/tables.ts';
import { headlineOf } from '../headline.ts';
import {
  byKind,
  figureText,
  isSignificant,
  KIND_TITLES,
  plainFigure,
  pointsText,
  primaryOf,
  scenarioTitle,
  scoreInterval,
  unitText,
} from '../view.ts';

const estimateOf = (set: SetResult, score: Score): Estimate => {
  const { low, high } = score.interval;
  return { estimate: primaryOf(set, score), low, high, level: 0.95, standardError: Number.NaN };
};

/** Cell with a score, its interval and a bar. */
export function scoreCell(set: SetResult, score: Score, scale: BarScale): string {
  const value = primaryOf(set, score);
  const interval = scoreInterval(score, set.best);
  const shown = figureText(value, set.best);
  const bar = intervalBar(estimateOf(set, score), scale, 72, `${shown} ${interval}`);
  return numberCell(value, `<span class="cell"><b>${shown}</b> <span class="note">${interval}</span>${bar}</span>`);
}

const scaleOf = (set: SetResult, scores: readonly Score[]): BarScale => barScale(scores.map(score => estimateOf(set, score)));

const PER = { visual: 'Δ pictures', textual: 'Δ words', joint: 'Δ both' } as const;

/** All sets: the clean score, mean changes by kind of shift, the scenario that costs most. */
export function headlineHtml({ sets }: EvaluationResults): string {
  const rows = sets.map(set => {
    const { first, means, worst } = headlineOf(set);
    const shown = first
      ? numberCell(
          primaryOf(set, first.score),
          `<b>${figureText(primaryOf(set, first.score), set.best)}</b> <span class="note">${unitText(set.best)} ${scoreInterval(first.score, set.best)}${first.kind === 'clean' ? '' : `, ${escapeText(scenarioTitle(first.scenario))}`}</span>`,
        )
      : numberCell(undefined, '–');
    const changes = (['visual', 'textual', 'joint'] as const).map(kind => {
      const mean = means[kind];
      return mean
        ? numberCell(mean.change, `${pointsText(mean.change)} <span class="note">of ${mean.scenarios}</span>`)
        : numberCell(undefined, '<span class="note">not asked</span>');
    });
    const most = worst
      ? `<td data-value="${worst.againstClean!.difference}">${escapeText(scenarioTitle(worst.scenario))} <span class="note">${pointsText(worst.againstClean!.difference)}${isSignificant(worst.againstClean!) ? '' : '†'}</span></td>`
      : '<td data-value=""></td>';
    return `<tr><th scope="row" data-value="${escapeText(set.title)}">${escapeText(set.title)} <span class="note">${escapeText(set.scorer)}</span></th>${shown}${changes.join('')}${most}${numberCell(set.questions, `${formatCount(set.questions)} <span class="note">on ${formatCount(set.clusters)} pictures</span>`)}</tr>`;
  });
  const heads = [
    sortHead('set', 'text'),
    sortHead('clean', 'number', 'down', 'By the set’s first scorer, with its 95 % interval over pictures'),
    ...Object.values(PER).map(name =>
      sortHead(name, 'number', 'up', 'Mean change over the scenarios of this kind, in points of right answers; no interval'),
    ),
    sortHead('costs most', 'number', 'up', 'The scenario with the largest drop'),
    sortHead('questions', 'number', 'down', 'Questions about the same picture are one observation'),
  ];
  return sortable('Sets at a glance', heads, rows, ' full headline');
}

function scenarioRow(set: SetResult, one: ScenarioResult, scale: BarScale): string {
  const { score, scenario, kind, unanswered } = one;
  const counts = [score.n, score.missing, score.duplicates, score.unknown, unanswered].map(n => numberCell(n, String(n)));
  return `<tr><th scope="row" data-value="${escapeText(scenarioTitle(scenario))}">${escapeText(scenarioTitle(scenario))}</th><td data-value="${kind}">${KIND_TITLES[kind]}</td>${scoreCell(set, score, scale)}${counts.join('')}</tr>`;
}

/** Every scenario of a set. */
export function scoresHtml(set: SetResult): string {
  const scale = scaleOf(
    set,
    set.scenarios.map(({ score }) => score),
  );
  const heads = [
    sortHead('scenario', 'text'),
    sortHead('kind', 'text'),
    sortHead(`${escapeText(set.primary)} <span class="dir">${unitText(set.best)}</span>`, 'number', 'down', '95 % interval over pictures'),
    sortHead('n', 'number', 'up', 'Questions that count'),
    sortHead('missing', 'number', 'down', 'Questions without an answer'),
    sortHead('twice', 'number', 'down', 'Answers that were given more than once; the first counts'),
    sortHead('unknown', 'number', 'down', 'Answers to no question of the set'),
    sortHead('failed', 'number', 'down', 'Questions that could not be asked or answered in this run; reasons stand below'),
  ];
  return sortable(
    `Scores of ${set.title}`,
    heads,
    byKind(set).map(one => scenarioRow(set, one, scale)),
    ' full',
  );
}

/** The same answers by every scorer that ran; empty where there was one. */
export function rulesHtml(set: SetResult): string {
  const names = [...new Set(set.scenarios.flatMap(({ others }) => Object.keys(others)))];
  if (names.length === 0) return '';
  const figure = (score: Score | undefined, name: string): string => {
    if (!score) return numberCell(undefined, '–');
    const { metric, low, high } = score.interval;
    const value = score.metrics[metric];
    const interval = Number.isFinite(low) ? ` <span class="note">[${plainFigure(low)}, ${plainFigure(high)}]</span>` : '';
    return numberCell(value, `<span title="${escapeText(`${metric} of ${name}`)}">${plainFigure(value)}${interval}</span>`);
  };
  const rows = byKind(set).map(({ scenario, score, others }) => {
    const cells = [figure(score, set.scorer), ...names.map(name => figure(others[name], name))];
    return `<tr><th scope="row" data-value="${escapeText(scenarioTitle(scenario))}">${escapeText(scenarioTitle(scenario))}</th>${cells.join('')}</tr>`;
  });
  const metricOf = (name: string): string =>
    set.scenarios.map(({ others, score }) => (name === set.scorer ? score : others[name])?.interval.metric).find(Boolean) ?? '';
  const heads = [set.scorer, ...names].map(name =>
    sortHead(`${escapeText(name)} <span class="dir">${escapeText(metricOf(name))}</span>`, 'number', 'down'),
  );
  return sortable(`${set.title} by other rules`, [sortHead('scenario', 'text'), ...heads], rows);
}
