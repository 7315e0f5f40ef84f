/** @file Figures by category and by split: a row each, a column per scenario. */
import type { SetResult } from '../../../evaluation/run/results.ts';
import type { Figures } from '../../../evaluation/scorers/scorer.ts';
import { escapeText } from '../../attribution/svg.ts';
import { numberCell, sortHead } from '../../comparison/html/cells.ts';
import { sortable } from '../../comparison/html/tables.ts';
import { byKind, figureText, plainFigure, scenarioTitle } from '../view.ts';

type Part = 'byCategory' | 'bySplit';

/** Key of the figure that parts are shown by: the set's primary one, else accuracy, else the first that any part has. */
export function partFigure(set: SetResult, part: Part): string | undefined {
  const figures = set.scenarios.flatMap(({ score }) => Object.values(score[part] ?? {}));
  const has = (name: string): boolean => figures.some(one => name in one);
  return [set.primary, 'accuracy'].find(has) ?? figures.flatMap(Object.keys)[0];
}

/** The table; empty where the scorer gives no such parts. */
export function partsHtml(set: SetResult, part: Part): string {
  const figure = partFigure(set, part);
  if (figure === undefined) return '';
  const scenarios = byKind(set);
  const names = [...new Set(scenarios.flatMap(({ score }) => Object.keys(score[part] ?? {})))];
  const share = set.best === 1 && (figure === set.primary || figure === 'accuracy');
  const cell = (figures: Figures | undefined): string => {
    const value = figures?.[figure];
    const all = Object.entries(figures ?? {}).map(([name, v]) => `${name} ${plainFigure(v)}`);
    const shown = value === undefined ? '–' : share ? figureText(value, 1) : plainFigure(value);
    return numberCell(value, `<span title="${escapeText(all.join(', '))}">${shown}</span>`);
  };
  const rows = names.map(
    name =>
      `<tr><th scope="row" data-value="${escapeText(name)}">${escapeText(name)}</th>${scenarios.map(({ score }) => cell(score[part]?.[name])).join('')}</tr>`,
  );
  const title = part === 'byCategory' ? 'category' : 'split';
  const heads = scenarios.map(({ scenario }) => sortHead(escapeText(scenarioTitle(scenario)), 'number', 'up'));
  const about = `${escapeText(figure)}${share ? ', %' : ''}`;
  return `<p class="muted small">By ${title}: ${about}. Hover for further figures.</p>${sortable(`${set.title} by ${title}`, [sortHead(title, 'text'), ...heads], rows, ' full parts')}`;
}
