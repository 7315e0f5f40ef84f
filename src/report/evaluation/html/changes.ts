/** @file Changes against the clean set: differences with intervals and tests, what went from right to wrong and back, and power. */
import type { AgainstClean, ScenarioResult, SetResult } from '../../../evaluation/run/results.ts';
import { formatCount } from '../../../system/format.ts';
import { escapeText, round } from '../../attribution/svg.ts';
import { pText } from '../../comparison/format.ts';
import { barScale, intervalBar, numberCell, sortHead } from '../../comparison/html/cells.ts';
import { sortable } from '../../comparison/html/tables.ts';
import { disagreement } from '../disagreement.ts';
import { byKind, cleanOf, figureText, isSignificant, pointsInterval, pointsText, primaryOf, scenarioTitle } from '../view.ts';

const estimateOf = ({ difference, low, high }: AgainstClean) => ({
  ...{ estimate: difference, low, high, level: 0.95 },
  standardError: Number.NaN,
});

/** Two bars from a middle line: right to wrong at the left, wrong to right at the right. @param most of either, over the set */
export function swingBar(lost: number, won: number, most: number): string {
  const half = 34;
  const length = (count: number): number => (most > 0 ? (count / most) * half : 0);
  const about = `${lost} from right to wrong, ${won} from wrong to right`;
  return `<svg class="swing" role="img" aria-label="${about}" width="${2 * half}" height="14" viewBox="0 0 ${2 * half} 14"><title>${about}</title><rect class="lost" x="${round(half - length(lost))}" y="3" width="${round(length(lost))}" height="8"/><rect class="won" x="${half}" y="3" width="${round(length(won))}" height="8"/><line class="zero" x1="${half}" x2="${half}" y1="0" y2="14"/></svg>`;
}

const compared = (set: SetResult): (ScenarioResult & { readonly againstClean: AgainstClean })[] =>
  byKind(set).flatMap(one => (one.againstClean ? [{ ...one, againstClean: one.againstClean }] : []));

const head = ({ scenario }: ScenarioResult): string =>
  `<th scope="row" data-value="${escapeText(scenarioTitle(scenario))}">${escapeText(scenarioTitle(scenario))}</th>`;

/** Where the scorer's figure goes up though fewer answers are right, or down though more are. */
export function disagreements(set: SetResult): string[] {
  const clean = cleanOf(set);
  if (!clean) return [];
  const { primary, best } = set;
  return compared(set).flatMap(({ scenario, score, againstClean: { difference } }) => {
    const figures = { primary, best, before: primaryOf(set, clean.score), after: primaryOf(set, score), difference };
    return disagreement(scenarioTitle(scenario), figures) ?? [];
  });
}

/** The sentences as a list under a table; empty for none. */
export const disagreementsHtml = (scorer: string, list: readonly string[]): string =>
  list.length === 0
    ? ''
    : `<p class="small disagree">${escapeText(scorer)} and the share of right answers disagree here, since they count different things:</p><ul class="small">${list.map(text => `<li>${escapeText(text)}</li>`).join('')}</ul>`;

/** The table; empty where nothing is compared. */
export function changesHtml(set: SetResult): string {
  const list = compared(set);
  if (list.length === 0) return '';
  const scale = barScale(
    list.map(({ againstClean }) => estimateOf(againstClean)),
    true,
  );
  const most = Math.max(...list.flatMap(({ againstClean: c }) => [c.rightToWrong, c.wrongToRight]));
  const rows = list.map(one => {
    const { againstClean: c } = one;
    const verdict = isSignificant(c) ? (c.difference < 0 ? 'worse' : 'better') : '';
    const cells = [
      numberCell(c.a, figureText(c.a, 1)),
      numberCell(c.b, figureText(c.b, 1)),
      numberCell(
        c.difference,
        `<b>${pointsText(c.difference)}${verdict ? '' : '<sup>†</sup>'}</b> <span class="note">${pointsInterval(c)}</span>`,
      ),
      `<td>${intervalBar(estimateOf(c), scale, 72, `${pointsText(c.difference)} ${pointsInterval(c)}`, verdict)}</td>`,
      numberCell(c.pValue, escapeText(pText(c.pValue))),
      numberCell(c.adjusted, escapeText(pText(c.adjusted))),
      numberCell(c.rightToWrong, String(c.rightToWrong)),
      `<td>${swingBar(c.rightToWrong, c.wrongToRight, most)}</td>`,
      numberCell(c.wrongToRight, String(c.wrongToRight)),
      numberCell(c.mcnemar, escapeText(pText(c.mcnemar))),
    ];
    return `<tr>${head(one)}${cells.join('')}</tr>`;
  });
  const heads = [
    sortHead('scenario', 'text'),
    sortHead('clean %', 'number', 'down', 'Share that is right on the clean set, of the questions that both have'),
    sortHead('shifted %', 'number', 'down', 'Share that is right under the shift, of the same questions'),
    sortHead('points', 'number', 'up', 'Shifted minus clean, with its 95 % interval (Student’s t over pictures)'),
    '<th></th>',
    sortHead('p', 'number', 'up', 'Paired t over pictures, two-sided'),
    sortHead('p (Holm)', 'number', 'up', 'Corrected over the scenarios of the set'),
    sortHead('lost', 'number', 'down', 'Questions that are right on the clean set and wrong under the shift'),
    '<th></th>',
    sortHead('won', 'number', 'down', 'Questions that are wrong on the clean set and right under the shift'),
    sortHead('McNemar', 'number', 'up', 'Exact, of these two counts; it takes questions for independent'),
  ];
  return sortable(`Changes of ${set.title}`, heads, rows, ' full') + disagreementsHtml(set.scorer, disagreements(set));
}

const questions = (count: number): string => (Number.isFinite(count) ? formatCount(count) : '–');

/** What these questions can show; empty where nothing is compared. */
export function powerHtml(set: SetResult): string {
  const list = compared(set);
  if (list.length === 0) return '';
  const rows = list.map(one => {
    const { n, clusters, smallestDifference, questionsForOnePoint } = one.againstClean;
    const cells = [
      numberCell(n, formatCount(n)),
      numberCell(clusters, formatCount(clusters)),
      numberCell(smallestDifference, figureText(smallestDifference, 1)),
      numberCell(questionsForOnePoint, questions(questionsForOnePoint)),
    ];
    return `<tr>${head(one)}${cells.join('')}</tr>`;
  });
  const heads = [
    sortHead('scenario', 'text'),
    sortHead('questions', 'number', 'down'),
    sortHead('pictures', 'number', 'down'),
    sortHead('smallest difference, points', 'number', 'up', 'That so many questions show with 80 % power at a level of 5 %'),
    sortHead('questions for 1 point', 'number', 'up', 'That would show a difference of one point with 80 % power'),
  ];
  return sortable(`Power of ${set.title}`, heads, rows);
}
