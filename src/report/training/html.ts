/** @file The report of a training run as one self-contained page: it asks the network for nothing; every number is also in a table. */
import { formatNumber } from '../../system/format.ts';
import type { MetricsLine } from '../../tuning/tracking/metrics.ts';
import { page } from '../attribution/html/page.ts';
import { baseStyle } from '../attribution/html/style.ts';
import { themeScript } from '../attribution/html/theme-script.ts';
import { warningList } from '../attribution/html/warnings.ts';
import { escapeText } from '../attribution/svg.ts';
import { comparisonStyle } from '../comparison/html/style.ts';
import { chartVariables, pageChart } from '../comparison/svg/palette.ts';
import { linesChart } from './lines-chart.ts';
import { figureNames, trainingPlots } from './plots.ts';
import type { TrainingRun } from './run.ts';

/** Rows of the table of figures; of more, as many evenly spread. */
const ROWS = 200;

const trainingStyle = `
.lines { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(500px, 100%), 1fr)); gap: 12px; }
.lines .figure { width: auto; margin: 0; }
.lines .figure svg { width: 100%; min-width: 0; }
.figures td, .figures th { white-space: nowrap; text-align: right; padding: 3px 14px 3px 0; overflow-wrap: normal; }
.figures th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
.settings td:first-child { color: var(--muted); white-space: nowrap; }
`;

const cell = (value: unknown): string =>
  typeof value === 'number' ? formatNumber(value) : value === undefined ? '' : escapeText(String(value));

/** Every k-th line, so that no more than `ROWS` are left; the last one is always there. */
export function spreadRows<T>(lines: readonly T[], most = ROWS): readonly T[] {
  const width = Math.ceil(lines.length / most);
  return width <= 1 ? lines : lines.filter((_, i) => (lines.length - 1 - i) % width === 0);
}

function figuresTable(lines: readonly MetricsLine[], what: string): string {
  if (lines.length === 0) return '';
  const names = figureNames(lines);
  const rows = spreadRows(lines);
  const cut =
    rows.length < lines.length ? `<p class="muted small">${rows.length} of ${lines.length} lines; all are in metrics.jsonl.</p>` : '';
  const head = ['update', ...names.map(name => name.replace(/^eval_/, '').replaceAll('_', ' '))];
  const body = rows.map(line => `<tr><th scope="row">${line.step}</th>${names.map(name => `<td>${cell(line[name])}</td>`).join('')}</tr>`);
  return `<details><summary><b>${what}</b></summary>${cut}<div class="wide" tabindex="0" role="region" aria-label="${what}"><table class="figures"><thead><tr>${head.map(name => `<th scope="col">${escapeText(name)}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div></details>`;
}

const settingText = (value: unknown): string =>
  Array.isArray(value)
    ? value.length
      ? value.map(String).join(', ')
      : 'none'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

const settingsTable = (settings: Readonly<Record<string, unknown>>): string =>
  `<table class="settings"><tbody>${Object.entries(settings)
    .map(([key, value]) => `<tr><td>${escapeText(key)}</td><td>${escapeText(settingText(value))}</td></tr>`)
    .join('')}</tbody></table>`;

function factsHtml(run: TrainingRun): string {
  const { args, step, maxSteps, finished, bestStep, steps, evaluations } = run;
  const last = steps.at(-1);
  const evaluated = evaluations.findLast(line => bestStep === undefined || line.step === bestStep);
  const facts: [string, string][] = [
    ['command', run.command],
    ...(typeof args.model === 'string' ? [['start', args.model] as [string, string]] : []),
    ['updates', `${step}${maxSteps ? ` of ${maxSteps}` : ''}`],
    ['state', finished ? 'finished' : 'not finished'],
    ...(bestStep === undefined ? [] : [['weights of update', `${bestStep}, the best`] as [string, string]]),
    ...(typeof last?.loss === 'number' ? [['last loss', formatNumber(last.loss)] as [string, string]] : []),
    ...(typeof args.seed === 'number' ? [['seed', String(args.seed)] as [string, string]] : []),
  ];
  const figures = Object.entries(evaluated ?? {}).flatMap(([key, value]) =>
    key.startsWith('eval_') && typeof value === 'number' ? [`${key.slice(5).replaceAll('_', ' ')} <b>${formatNumber(value)}</b>`] : [],
  );
  return (
    `<div class="facts">${facts.map(([name, value]) => `<span>${name} <b>${escapeText(value)}</b></span>`).join('')}</div>` +
    (figures.length ? `<p class="muted small reading">Evaluation at update ${evaluated!.step}: ${figures.join(', ')}.</p>` : '')
  );
}

/** What the page needs said about its lines. */
const READING =
  'A line of training is a mean over the updates since the point before; evaluations have marks. A dashed line stands where a warning was given, or at the best evaluation: hover for it. Values that spread over more than a factor of 50 are drawn on a logarithmic axis.';

/** The page. Every text from outside is escaped. */
export function trainingHtml(run: TrainingRun): string {
  const title = `Training run: ${run.command}`;
  const charts = trainingPlots(run).map(
    plot =>
      `<div class="figure" tabindex="0" role="region" aria-label="${escapeText(plot.title)}">${linesChart(plot, pageChart).svg}</div>`,
  );
  const notFinite = [...run.steps, ...run.evaluations].reduce(
    (sum, line) => sum + Object.values(line).filter(value => value === 'NaN' || value === 'Infinity' || value === '-Infinity').length,
    0,
  );
  const warnings = [
    ...run.warnings,
    ...(notFinite
      ? [`${notFinite} figure${notFinite > 1 ? 's are' : ' is'} not finite; the charts leave them out, the tables show them.`]
      : []),
  ];
  const sections: [id: string, name: string, html: string][] = [
    ['course', 'Course', `<p class="muted small reading">${READING}</p><div class="lines">${charts.join('')}</div>`],
    ['figures', 'Figures', figuresTable(run.evaluations, 'Evaluations') + figuresTable(run.steps, 'Training')],
    [
      'settings',
      'Settings',
      `${Object.keys(run.args).length ? settingsTable(run.args) : '<p>Not known before the first checkpoint.</p>'}${run.bottleneck ? `<h3>Bottleneck</h3>${settingsTable(run.bottleneck)}` : ''}`,
    ],
  ];
  const body =
    `<header class="top"><div class="title"><h1>${escapeText(title)}</h1><button id="theme" type="button" hidden>Theme: system</button></div>${factsHtml(run)}</header>` +
    `<nav class="jump" aria-label="Parts"><ul>${sections.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join('')}</ul></nav>` +
    `<main>${warningList(warnings)}${sections.map(([id, name, html]) => `<section class="part" id="${id}"><h2>${name}</h2>${html}</section>`).join('\n')}</main>`;
  return page({ title, style: baseStyle + chartVariables + comparisonStyle + trainingStyle, body, script: themeScript, data: {} });
}
