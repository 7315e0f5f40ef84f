/** @file The search through answers: its controls and the empty table that the script fills. */
import type { EvaluationResults } from '../../../evaluation/run/results.ts';
import { formatCount } from '../../../system/format.ts';
import { escapeText } from '../../attribution/svg.ts';
import { type EmbeddedAnswers, FIELDS } from '../answers.ts';

const select = (id: string, title: string, first: string, options: readonly (readonly [value: string, text: string])[]): string =>
  `<label for="${id}">${title}<select id="${id}"><option value="">${first}</option>${options.map(([value, text]) => `<option value="${escapeText(value)}">${escapeText(text)}</option>`).join('')}</select></label>`;

const HEADS = ['set', 'scenario', 'key', 'question', 'right answer', 'answer', 'read as', 'points', 'category'];

/** How many answers are here, and where the others are. */
export function coverageText({ correct, total, every }: EmbeddedAnswers): string {
  if (correct.length === total) return `All ${formatCount(total)} answers.`;
  const kept =
    every > 1
      ? `every ${every}${every === 2 ? 'nd' : every === 3 ? 'rd' : 'th'} question of each set, under all scenarios`
      : 'the first ones';
  return `${formatCount(correct.length)} of ${formatCount(total)} answers are on this page: ${kept}. All of them stand in the run’s folder, in answers/SET/SCENARIO.jsonl.`;
}

/** The section's content. */
export function answersHtml(results: EvaluationResults, embedded: EmbeddedAnswers): string {
  if (embedded.total === 0) return '<p class="muted">This report was made without answers.</p>';
  const { texts, rows } = embedded;
  const used = (field: number): string[] => {
    const places = new Set<number>();
    for (let at = field; at < rows.length; at += FIELDS) if (rows[at] >= 0) places.add(rows[at]);
    return [...places].map(place => texts[place]);
  };
  const titles = new Map(results.sets.map(set => [set.benchmark, set.title]));
  const plain = (values: readonly string[]): [string, string][] => values.map(value => [value, value]);
  const categories = used(7);
  const controls = [
    '<label for="find">text<input id="find" type="search" autocomplete="off" placeholder="question, answer or key"></label>',
    select(
      'of-set',
      'set',
      'all sets',
      used(0).map((name): [string, string] => [name, titles.get(name) ?? name]),
    ),
    select('of-scenario', 'scenario', 'all scenarios', plain(used(1))),
    select('of-points', 'points', 'right and wrong', [
      ['right', 'right'],
      ['wrong', 'wrong'],
      ['unread', 'nothing could be read'],
      ['unscored', 'does not count'],
    ]),
    ...(categories.length > 0 ? [select('of-category', 'category', 'all categories', plain(categories))] : []),
    '<button id="clear" type="button">Clear</button>',
  ];
  const head = HEADS.map(name => `<th scope="col">${name}</th>`).join('');
  return (
    `<p class="muted small">${coverageText(embedded)} Press a key to see the question under every scenario.</p>` +
    `<noscript><p class="muted">The search needs JavaScript; answers stand in the run’s folder, in answers/SET/SCENARIO.jsonl.</p></noscript>` +
    `<form class="search" role="search">${controls.join('')}</form><p id="count" class="small" role="status" aria-live="polite"></p>` +
    `<div class="wide" tabindex="0" role="region" aria-label="Answers"><table class="answers"><thead><tr>${head}</tr></thead><tbody id="rows"></tbody></table></div>` +
    `<div class="pager"><button id="back" type="button">‹ Back</button><span id="page"></span><button id="on" type="button">Next ›</button></div>`
  );
}
