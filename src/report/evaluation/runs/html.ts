/** @file The comparison of runs as one self-contained page. */
import type { ComparedScenario, RunsComparison, Verdict } from '../../../evaluation/run/compare-runs.ts';
import { formatCount } from '../../../system/format.ts';
import { page } from '../../attribution/html/page.ts';
import { baseStyle } from '../../attribution/html/style.ts';
import { themeScript } from '../../attribution/html/theme-script.ts';
import { warningList } from '../../attribution/html/warnings.ts';
import { escapeText } from '../../attribution/svg.ts';
import { pText } from '../../comparison/format.ts';
import { barScale, intervalBar, numberCell, sortHead } from '../../comparison/html/cells.ts';
import { sortScript } from '../../comparison/html/script.ts';
import { comparisonStyle } from '../../comparison/html/style.ts';
import { sortable } from '../../comparison/html/tables.ts';
import { chartVariables, pageChart } from '../../comparison/svg/palette.ts';
import { disagreementsHtml, swingBar } from '../html/changes.ts';
import { evaluationStyle } from '../html/style.ts';
import { shadeOf } from '../matrix.ts';
import { heatClass, heatStyle } from '../svg/heat.ts';
import { figureText, KIND_TITLES, KINDS, pointsInterval, pointsText, unitText } from '../view.ts';
import { runChart } from './charts.ts';
import { type Counts, countsText, type RunOnSet, runDisagreements, runsOnSets } from './summary.ts';

const estimateOf = ({ difference, low, high }: { readonly difference: number; readonly low: number; readonly high: number }) => ({
  ...{ estimate: difference, low, high, level: 0.95 },
  standardError: Number.NaN,
});
const dagger = (verdict: Verdict): string => (verdict === 'not significant' ? '<sup>†</sup>' : '');
const badge = (verdict: Verdict): string => `<span class="verdict ${verdict === 'not significant' ? '' : verdict}">${verdict}</span>`;
const barClass = (verdict: Verdict) => (verdict === 'not significant' ? '' : verdict);

function glanceHtml(list: readonly RunOnSet[]): string {
  const counts = (of: Counts | undefined): string =>
    of
      ? (['better', 'worse', 'not significant'] as const).map(name => numberCell(of[name], String(of[name]))).join('')
      : '<td data-value=""></td>'.repeat(3);
  const rows = list.map(({ run, title, rows: all, counts: scores, drops }) => {
    const clean = all.find(row => row.kind === 'clean');
    const shown = clean
      ? numberCell(
          clean.changes.difference,
          `${pointsText(clean.changes.difference)}${dagger(clean.verdict)} <span class="note">${pointsInterval(clean.changes)}</span>`,
        )
      : numberCell(undefined, '<span class="note">not asked</span>');
    return `<tr><th scope="row" data-value="${escapeText(run)}">${escapeText(run)}</th><td data-value="${escapeText(title)}">${escapeText(title)}</td>${shown}${counts(scores)}${counts(drops)}</tr>`;
  });
  const verdicts = (what: string) =>
    (['better', 'worse', 'not significant'] as const).map(name =>
      sortHead(`${what}: ${name}`, 'number', 'down', `Scenarios, ${name} than the reference`),
    );
  const heads = [
    sortHead('run', 'text'),
    sortHead('set', 'text'),
    sortHead('clean, points', 'number', 'down'),
    ...verdicts('score'),
    ...verdicts('loss'),
  ];
  return sortable('Runs at a glance', heads, rows, ' full parts');
}

/** Scenarios in rows, runs on sets in columns: which is better where. */
function whereHtml(list: readonly RunOnSet[]): string {
  const all = list.flatMap(({ rows }) => rows);
  const largest = Math.max(...all.map(({ changes }) => Math.abs(changes.difference)));
  const groups = KINDS.flatMap(kind => {
    const names = [...new Set(all.filter(row => row.kind === kind).map(row => row.scenario))];
    if (names.length === 0) return [];
    const rows = names.map(name => {
      const cells = list.map(({ rows: own }) => {
        const row = own.find(one => one.kind === kind && one.scenario === name);
        if (!row) return '<td class="none" title="not compared">·</td>';
        const about = `${row.run}, ${row.title}, ${name}: ${pointsText(row.changes.difference)} points ${pointsInterval(row.changes)}, ${row.verdict}`;
        const shade = heatClass(shadeOf(row.changes.difference, largest));
        return `<td${shade ? ` class="${shade}"` : ''} title="${escapeText(about)}">${pointsText(row.changes.difference)}${dagger(row.verdict)}</td>`;
      });
      return `<tr><th scope="row">${escapeText(name)}</th>${cells.join('')}</tr>`;
    });
    return [`<tr class="group"><th scope="rowgroup" colspan="${list.length + 1}">${KIND_TITLES[kind]}</th></tr>`, ...rows];
  });
  const runs = list.map(({ run }) => `<th scope="col">${escapeText(run)}</th>`);
  const sets = list.map(({ title }) => `<th scope="col">${escapeText(title)}</th>`);
  return `<div class="wide" tabindex="0" role="region" aria-label="Differences by scenario, run and set"><table class="matrix"><thead><tr><th>scenario</th>${runs.join('')}</tr><tr><th></th>${sets.join('')}</tr></thead><tbody>${groups.join('\n')}</tbody></table></div>`;
}

const head = ({ scenario }: ComparedScenario): string =>
  `<th scope="row" data-value="${escapeText(scenario)}">${escapeText(scenario)}</th>`;

function differencesHtml({ run, title, rows: list }: RunOnSet): string {
  const scale = barScale(
    list.map(({ changes }) => estimateOf(changes)),
    true,
  );
  const most = Math.max(...list.flatMap(({ changes: c }) => [c.rightToWrong, c.wrongToRight]));
  const rows = list.map(row => {
    const { changes: c, verdict } = row;
    const cells = [
      numberCell(row.reference, figureText(row.reference, row.best)),
      numberCell(row.value, figureText(row.value, row.best)),
      numberCell(c.difference, `<b>${pointsText(c.difference)}${dagger(verdict)}</b> <span class="note">${pointsInterval(c)}</span>`),
      `<td>${intervalBar(estimateOf(c), scale, 72, `${pointsText(c.difference)} ${pointsInterval(c)}`, barClass(verdict))}</td>`,
      numberCell(row.adjusted, escapeText(pText(row.adjusted))),
      `<td data-value="${verdict}">${badge(verdict)}</td>`,
      numberCell(c.rightToWrong, String(c.rightToWrong)),
      `<td>${swingBar(c.rightToWrong, c.wrongToRight, most)}</td>`,
      numberCell(c.wrongToRight, String(c.wrongToRight)),
      numberCell(c.mcnemar, escapeText(pText(c.mcnemar))),
      numberCell(c.n, formatCount(c.n)),
      numberCell(c.smallestDifference, figureText(c.smallestDifference, 1)),
      numberCell(c.questionsForOnePoint, Number.isFinite(c.questionsForOnePoint) ? formatCount(c.questionsForOnePoint) : '–'),
    ];
    return `<tr>${head(row)}${cells.join('')}</tr>`;
  });
  const [{ primary, best, scorer }] = list;
  const figure = `${escapeText(primary)}, ${unitText(best)}`;
  const heads = [
    sortHead('scenario', 'text'),
    sortHead('reference', 'number', 'down', figure),
    sortHead('run', 'number', 'down', figure),
    sortHead('points', 'number', 'down', 'Run minus reference, share of right answers, with its 95 % interval'),
    '<th></th>',
    sortHead('p (Holm)', 'number', 'up', 'Paired t over pictures, corrected over all rows of the comparison'),
    sortHead('result', 'text'),
    sortHead('lost', 'number', 'down', 'Questions that only the reference has right'),
    '<th></th>',
    sortHead('won', 'number', 'down', 'Questions that only the run has right'),
    sortHead('McNemar', 'number', 'up', 'Exact p of these two counts; it takes questions for independent'),
    sortHead('n', 'number', 'down', 'Questions that both answered'),
    sortHead('smallest', 'number', 'up', 'Smallest difference, in points, that so many questions show with 80 % power'),
    sortHead('for 1 point', 'number', 'up', 'Questions that would show one point with 80 % power'),
  ];
  return `<details open><summary><b>${escapeText(run)} on ${escapeText(title)}</b></summary>${sortable(`${run} on ${title}`, heads, rows, ' full')}${disagreementsHtml(scorer, runDisagreements(list))}</details>`;
}

function lossesHtml({ run, title, rows: list }: RunOnSet): string {
  const found = list.flatMap(row => (row.drop ? [{ row, drop: row.drop }] : []));
  if (found.length === 0) return '';
  const scale = barScale(
    found.map(({ drop }) => estimateOf(drop)),
    true,
  );
  const rows = found.map(({ row, drop }) => {
    const cells = [
      numberCell(drop.reference, pointsText(-drop.reference)),
      numberCell(drop.run, pointsText(-drop.run)),
      numberCell(
        drop.difference,
        `<b>${pointsText(drop.difference)}${dagger(drop.verdict)}</b> <span class="note">${pointsInterval(drop)}</span>`,
      ),
      `<td>${intervalBar(estimateOf(drop), scale, 72, `${pointsText(drop.difference)} ${pointsInterval(drop)}`, barClass(drop.verdict))}</td>`,
      numberCell(drop.adjusted, escapeText(pText(drop.adjusted))),
      `<td data-value="${drop.verdict}">${badge(drop.verdict)}</td>`,
    ];
    return `<tr>${head(row)}${cells.join('')}</tr>`;
  });
  const heads = [
    sortHead('scenario', 'text'),
    sortHead('reference', 'number', 'up', 'Shifted minus clean, in points'),
    sortHead('run', 'number', 'up', 'Shifted minus clean, in points'),
    sortHead('saved', 'number', 'down', 'Points that the run loses less than the reference, with its 95 % interval'),
    '<th></th>',
    sortHead('p (Holm)', 'number', 'up', 'Paired t over pictures, corrected over all losses of the comparison'),
    sortHead('result', 'text'),
  ];
  return `<details open><summary><b>${escapeText(run)} on ${escapeText(title)}</b></summary>${sortable(`Losses of ${run} on ${title}`, heads, rows, ' full')}</details>`;
}

/** The page. Every text from outside is escaped. */
export function runsHtml(comparison: RunsComparison): string {
  const { runs, reference, rows, warnings } = comparison;
  const list = runsOnSets(comparison);
  const others = runs.filter(({ name }) => name !== reference);
  const figures = (of: 'score' | 'loss'): string =>
    others
      .map(({ name }) => {
        const chart = runChart(comparison, name, of, pageChart);
        return chart ? `<div class="figure" tabindex="0" role="region" aria-label="${escapeText(name)}">${chart.svg}</div>` : '';
      })
      .join('');
  const muted = (text: string): string => `<p class="muted small reading">${text}</p>`;
  const losses = list.map(lossesHtml).join('');
  const settings = runs.map(({ name, model, settings: given }) => {
    const text = Object.entries(given).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
    return `<dt>${escapeText(name)}${name === reference ? ' (reference)' : ''}</dt><dd>${escapeText([model, ...text].join(', '))}</dd>`;
  });
  const verdicts = list.map(
    ({ run, title, counts }) => `<li><b>${escapeText(run)}</b> on ${escapeText(title)}: ${countsText(counts)} scenarios</li>`,
  );
  const sections: [id: string, title: string, html: string][] =
    rows.length === 0
      ? [['glance', 'At a glance', '<p>These runs share no question, so there is nothing to compare.</p>']]
      : [
          ['glance', 'At a glance', `<ul>${verdicts.join('')}</ul>${glanceHtml(list)}`],
          [
            'where',
            'Which is better where',
            `${muted('Run minus reference in points (blue: the run is better, orange: worse). Hover for intervals.')}${whereHtml(list)}`,
          ],
          [
            'differences',
            'Differences',
            `${muted('<span class="key lost"></span> lost: only the reference is right; <span class="key won"></span> won: only the run is right.')}${list.map(differencesHtml).join('')}<h3>As a picture</h3>${figures('score')}`,
          ],
          ...(losses === ''
            ? []
            : [
                [
                  'losses',
                  'Losses under shifts',
                  `${muted('What each loses against its clean answers, on the questions that both answered clean and shifted. A run may be better everywhere and yet lose more.')}${losses}<h3>As a picture</h3>${figures('loss')}`,
                ] as [string, string, string],
              ]),
        ];
  sections.push(['provenance', 'Provenance', `<dl class="provenance">${settings.join('')}</dl>`]);
  const facts: [string, string][] = [
    ['reference', reference],
    ['runs', others.map(({ name }) => name).join(', ')],
    ['sets', String(new Set(rows.map(row => row.benchmark)).size)],
    ['rows', String(rows.length)],
  ];
  const title = 'Comparison of runs';
  const reading =
    '† marks a difference that is not significant: its p-value by the paired t over pictures, corrected by Holm over all rows of this comparison (all losses are a family of their own), is 0.05 or more. That is no proof of equality: see the smallest difference that the questions show.';
  const body =
    `<header class="top"><div class="title"><h1>${title}</h1><button id="theme" type="button" hidden>Theme: system</button></div><div class="facts">${facts.map(([name, value]) => `<span>${name} <b>${escapeText(value)}</b></span>`).join('')}</div>${muted(reading)}</header>` +
    `<nav class="jump" aria-label="Parts"><ul>${sections.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join('')}</ul></nav>` +
    `<main>${warningList(warnings)}${sections.map(([id, name, html]) => `<section class="part" id="${id}"><h2>${name}</h2>${html}</section>`).join('\n')}</main><p id="live" class="hidden" role="status" aria-live="polite"></p>`;
  const style = baseStyle + chartVariables + comparisonStyle + heatStyle + evaluationStyle;
  return page({ title, style, body, script: themeScript + sortScript, data: {} });
}
