/** @file Words around the numbers: facts of the run and how to read it, what was left out, where it comes from. */
import type { EvaluationResults } from '../../../evaluation/run/results.ts';
import { formatCount } from '../../../system/format.ts';
import { escapeText } from '../../attribution/svg.ts';
import { sortHead } from '../../comparison/html/cells.ts';
import { sortable } from '../../comparison/html/tables.ts';
import { ALPHA } from '../view.ts';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Facts of the run, and how its numbers are to be read. */
export function readingHtml({ model, sets, seed, narrows }: EvaluationResults): string {
  const scenarios = new Set(sets.flatMap(set => set.scenarios.map(({ scenario }) => scenario.name)));
  const facts: [string, string][] = [
    ['model', model],
    ['sets', String(sets.length)],
    ['questions', formatCount(sum(sets.map(set => set.questions)))],
    ['scenarios', String(scenarios.size)],
    ['answers that count', formatCount(sum(sets.flatMap(set => set.scenarios.map(({ score }) => score.n))))],
    ['seed', String(seed)],
    ['Narrows', narrows],
  ];
  return (
    `<div class="facts">${facts.map(([name, value]) => `<span>${name} <b>${escapeText(value)}</b></span>`).join('')}</div>` +
    `<p class="muted small reading">Scores are the first scorer’s figure of each set; in brackets stand 95 % intervals that resample pictures, not questions, since questions about one picture are not independent. ` +
    `Changes are paired: the same questions, shifted minus clean, in points (hundredths) of the share of right answers, whatever figure the scorer reports. ` +
    `† marks a change that is not significant: its p-value by the paired t over pictures, corrected by Holm over the scenarios of the set, is ${ALPHA} or more. That is no proof that nothing changed; see <a href="#power">what these questions can show</a>.</p>`
  );
}

/** Reasons that are listed one by one. */
const LISTED = 200;

/** Sets that were left out, and questions without an answer, with reasons; empty where there are none. */
export function unansweredHtml({ leftOut, unanswered }: EvaluationResults): string {
  const sets = leftOut.map(({ benchmark, reason }) => `<li><b>${escapeText(benchmark)}</b>: ${escapeText(reason)}</li>`);
  const rows = unanswered
    .slice(0, LISTED)
    .map(
      one =>
        `<tr>${[one.benchmark, one.scenario, one.key, one.where, one.reason].map(text => `<td data-value="${escapeText(text)}">${escapeText(text)}</td>`).join('')}</tr>`,
    );
  const more =
    unanswered.length > LISTED
      ? `<p class="muted small">The first ${LISTED} of ${formatCount(unanswered.length)}; results.json lists them all.</p>`
      : '';
  const heads = ['set', 'scenario', 'key', 'where', 'reason'].map(name => sortHead(name, 'text'));
  return (
    (sets.length > 0 ? `<h3>Sets that were left out</h3><ul>${sets.join('')}</ul>` : '') +
    (rows.length > 0
      ? `<h3>Questions without an answer</h3>${more}${sortable('Questions without an answer', heads, rows, ' reasons')}`
      : '')
  );
}

/** Settings and versions. */
export function provenanceHtml({ model, narrows, seed, settings, sets }: EvaluationResults): string {
  const rows: [string, string][] = [
    ['model', model],
    ['Narrows', narrows],
    ['seed', String(seed)],
    ...Object.entries(settings).map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ...sets.map((set): [string, string] => [
      set.title,
      `${set.benchmark}, ${set.questions} questions over ${set.clusters} pictures, prompt ${set.prompt}, scorer ${set.scorer}`,
    ]),
  ];
  const list = rows.map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value ?? '')}</dd>`).join('');
  return `<dl class="provenance">${list}</dl>`;
}
