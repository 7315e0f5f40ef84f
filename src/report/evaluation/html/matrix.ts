/** @file The matrix as a table of the page: the first column stays while the rest scrolls. */
import { escapeText } from '../../attribution/svg.ts';
import { pText } from '../../comparison/format.ts';
import { type Matrix, type MatrixCell, shadeOf } from '../matrix.ts';
import { heatClass } from '../svg/heat.ts';
import { KIND_TITLES, pointsInterval, pointsText, scenarioTitle } from '../view.ts';

function cellHtml(cell: MatrixCell | undefined, set: string, largest: number): string {
  if (!cell) return '<td class="none" title="not asked">·</td>';
  const { change, apart, result } = cell;
  const about = `${set}, ${scenarioTitle(result.scenario)}: ${pointsText(change.difference)} points ${pointsInterval(change)}, ${change.n} questions, p ${pText(change.adjusted)} (Holm)`;
  const shade = heatClass(shadeOf(change.difference, largest));
  return `<td${shade ? ` class="${shade}"` : ''} title="${escapeText(about)}">${pointsText(change.difference)}${apart ? '' : '<sup>†</sup>'}</td>`;
}

/** The table. */
export function matrixHtml({ sets, groups, largest }: Matrix): string {
  const titles = sets.map(({ set, severities }) => `<th scope="colgroup" colspan="${severities.length}">${escapeText(set.title)}</th>`);
  const severities = sets.flatMap(s => s.severities.map(severity => `<th scope="col">${escapeText(severity)}</th>`));
  const owners = sets.flatMap(s => s.severities.map(() => s.set.title));
  const body = groups.flatMap(({ kind, rows }) => [
    `<tr class="group"><th scope="rowgroup" colspan="${owners.length + 1}">${KIND_TITLES[kind]}</th></tr>`,
    ...rows.map(
      ({ name, cells }) =>
        `<tr><th scope="row">${escapeText(name)}</th>${cells.map((cell, i) => cellHtml(cell, owners[i], largest)).join('')}</tr>`,
    ),
  ]);
  return `<div class="wide" tabindex="0" role="region" aria-label="Changes by shift, set and severity"><table class="matrix"><thead><tr><th>shift</th>${titles.join('')}</tr><tr><th>severity</th>${severities.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}
