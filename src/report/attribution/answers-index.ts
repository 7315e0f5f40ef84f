/** @file The page of many explained answers: a table that can be sorted and searched, the least grounded first. */

import { percentText } from './answer.ts';
import { indexScript } from './html/index-script.ts';
import { page } from './html/page.ts';
import { baseStyle } from './html/style.ts';
import { digitsFor, formatValue } from './normalise.ts';
import { escapeText } from './svg.ts';
import { VERDICT_TEXT } from './verdict.ts';

/** One explained answer, or why there is none. */
export interface AnswerRow {
  readonly image: string;
  readonly question: string;
  readonly answer?: string;
  /** Whether it is the model's own. */
  readonly own?: boolean;
  /** Sum of the answer's log-probabilities, nats. */
  readonly logProbability?: number;
  /** Nats (or positive mass) that come from the picture. */
  readonly imageMass?: number;
  /** Their share in those of picture and question. */
  readonly imageShare?: number;
  /** Share of the picture's inside of the box that the list gives. */
  readonly insideBox?: number;
  /** What the map's optimisation came to, in words; none for methods that optimise nothing. */
  readonly verdict?: string;
  /** Link to the answer's own page, relative. */
  readonly href?: string;
  readonly warnings?: readonly string[];
  readonly failure?: string;
}

/** What rows are sorted by: the share on the thing where the list says its place, else the picture's share; failures first. */
export const groundingKey = (row: AnswerRow): number =>
  row.failure === undefined ? (row.insideBox ?? row.imageShare ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;

/** Rows with the least grounded answers on top; equal ones in the order of the list. */
export const byGrounding = <T extends AnswerRow>(rows: readonly T[]): T[] =>
  rows
    .map((row, i) => ({ row, i, key: groundingKey(row) }))
    .sort((a, b) => (a.key === b.key ? a.i - b.i : a.key - b.key))
    .map(({ row }) => row);

// On a phone every answer is a card whose figures carry their column's name.
const style = `
table.index { border-collapse: collapse; width: 100%; }
.index th, .index td { text-align: left; vertical-align: top; padding: 6px 10px; }
.index th { overflow-wrap: normal; }
.index td.number, .index th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.index th.number { white-space: normal; }
.index th button { font: inherit; font-weight: 600; text-align: inherit; }
.index td.question { min-width: 190px; }
.index td.file { min-width: 110px; }
.index td.said { min-width: 90px; }
.wide { overflow-x: auto; margin-top: 12px; }
#search { min-height: 34px; padding: 4px 10px; border: 1px solid var(--line); border-radius: 7px; background: var(--paper); }
.index a { color: var(--accent); }
@media (max-width: 640px) {
  table.index, .index tbody, .index tr, .index td { display: block; }
  .index thead tr { display: flex; flex-wrap: wrap; gap: 6px; padding-bottom: 10px; border-bottom: 1px solid var(--line); }
  .index thead th { padding: 0; border: 0; }
  .index tbody tr { padding: 12px 0; border-bottom: 1px solid var(--line); }
  .index tbody td, .index tbody td.number { display: flex; gap: 12px; justify-content: space-between; padding: 1px 0; border: 0; text-align: right; }
  .index tbody td.question { display: block; text-align: left; font-weight: 600; font-size: 16px; }
  .index tbody td.remarks { display: block; text-align: left; }
  .index tbody td[data-value=""] { display: none; }
  .index tbody td:not(.question, .remarks)::before { content: attr(data-name); color: var(--muted); text-align: left; }
}
`;

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const number = (name: string, value: number | undefined, text: (value: number) => string): string =>
  value === undefined || !Number.isFinite(value)
    ? '<td class="number" data-value="">–</td>'
    : `<td class="number" data-name="${name}" data-value="${value}">${text(value)}</td>`;
const words = (kind: string, name: string, text: string, html = escapeText(text)): string =>
  `<td class="${kind}" data-name="${name}" data-value="${escapeText(text)}">${html}</td>`;

/** Only addresses that stay in the page's folder. */
const link = (href: string | undefined, text: string): string =>
  href && !/^\s*(?:[a-z][a-z0-9+.-]*:|\/\/|\\)/i.test(href) ? `<a href="${escapeText(href)}">${escapeText(text)}</a>` : escapeText(text);

/** The page. @param rows sorted by the caller (`byGrounding`) @param facts.unit of `imageMass` */
export function answersIndexHtml(rows: readonly AnswerRow[], facts: { readonly title: string; readonly unit: 'nats' | 'score' }): string {
  const boxes = rows.some(row => row.insideBox !== undefined);
  const mass = facts.unit === 'nats' ? 'Nats from the picture' : 'Mass on the picture';
  const heads: [string, 'text' | 'number'][] = [
    ...([
      ['Question', 'text'],
      ['Picture', 'text'],
      ['Answer', 'text'],
      ['Probability', 'number'],
    ] as [string, 'text' | 'number'][]),
    ...([
      [mass, 'number'],
      ['From the picture', 'number'],
    ] as [string, 'number'][]),
    ...(boxes ? ([['Inside the box', 'number']] as [string, 'number'][]) : []),
    ['Remarks', 'text'],
  ];
  const body = rows.map(row => {
    const doubt = row.verdict === undefined || row.verdict === VERDICT_TEXT.converged ? [] : [`${row.verdict};`];
    const remarks = [...(row.failure === undefined ? [] : [`failed: ${row.failure}`]), ...doubt, ...(row.warnings ?? [])]
      .join(' ')
      .replace(/;$/, '');
    const { question, image, answer, logProbability } = row;
    const given = row.own === false ? ' <span class="muted">(given)</span>' : '';
    return (
      `<tr>${words('question', 'Question', question, link(row.href, question))}${words('file', 'Picture', image)}` +
      `${words('said', 'Answer', answer ?? '', `<span>${escapeText(answer ?? '–')}${given}</span>`)}` +
      `${number('Probability', logProbability === undefined ? undefined : Math.exp(logProbability), () => percentText(logProbability!))}` +
      `${number(mass, row.imageMass, value => formatValue(value, digitsFor(value)))}${number('From the picture', row.imageShare, percent)}` +
      `${boxes ? number('Inside the box', row.insideBox, percent) : ''}${words('remarks', 'Remarks', remarks)}</tr>`
    );
  });
  const head = heads.map(
    ([name, kind]) =>
      `<th scope="col" data-kind="${kind}" aria-sort="none"${kind === 'number' ? ' class="number"' : ''}><button type="button">${name}</button></th>`,
  );
  return page({
    title: facts.title,
    style: baseStyle + style,
    body:
      `<header class="top"><h1>${escapeText(facts.title)}</h1><p class="muted">The least grounded answers come first: those of which the smallest share of what they need comes ${boxes ? 'from inside the box (from the picture, where the list gives none)' : 'from the picture'}; what failed stands above them. A low share says that the question’s words settle the answer; it does not say that the answer is wrong.${facts.unit === 'nats' ? ' How nats divide between picture and question differs between optimisations of one answer: look at the ends of the order, not at neighbours.' : ''}</p>` +
      `<input id="search" type="search" placeholder="Search" aria-label="Search" hidden> <span id="count" class="muted"></span></header>` +
      `<main class="wide"><table class="index"><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></main>` +
      `<p id="live" class="hidden" role="status" aria-live="polite"></p>`,
    script: indexScript,
    data: null,
  });
}
