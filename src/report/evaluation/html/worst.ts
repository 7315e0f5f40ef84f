/** @file Worst cases: questions that a model has right on the clean set and wrong under most shifts, with pictures and answers. */
import type { EvaluationResults, WorstCase } from '../../../evaluation/run/results.ts';
import { escapeText } from '../../attribution/svg.ts';
import type { DrawnPicture, DrawnWorst } from '../draw-worst.ts';
import { choicesText, scenarioTitle } from '../view.ts';

const pictureHtml = ({ uri, width, height }: DrawnPicture, alt: string): string =>
  `<img loading="lazy"${Math.max(width, height) < 100 ? ' class="tiny"' : ''} width="${width}" height="${height}" alt="${escapeText(alt)}" src="${uri}">`;

function picturesHtml(drawn: readonly DrawnPicture[] | string | undefined, alt: string): string {
  if (drawn === undefined) return '';
  if (typeof drawn === 'string') return `<span class="note">no picture: ${escapeText(drawn)}</span>`;
  return drawn.map(one => pictureHtml(one, alt)).join('');
}

/** The question as it was asked, where that is not how the set has it. */
const wordsHtml = (text: string, words: string | undefined): string =>
  words === undefined || words === text ? '' : `<span class="small asked">“${escapeText(words)}”</span>`;

function caseHtml(one: WorstCase, titles: ReadonlyMap<string, string>, set: string, drawn: DrawnWorst | undefined): string {
  const said = (title: string, raw: string, scenario: string, verdict: string): string =>
    `<li>${picturesHtml(drawn?.get(scenario)?.pictures, `${one.text} (${title})`)}<span class="small">${escapeText(title)}${verdict}</span>${wordsHtml(one.text, drawn?.get(scenario)?.words)}<span class="said">${escapeText(raw) || '(empty)'}</span></li>`;
  const clean = one.clean;
  const items = [
    ...(clean
      ? [said('clean', clean.raw, 'clean', clean.correct >= 0.5 ? ' <b class="right">right</b>' : ' <b class="wrong">wrong</b>')]
      : []),
    ...one.wrong.map(({ scenario, raw }) => said(titles.get(scenario) ?? scenario, raw, scenario, ' <b class="wrong">wrong</b>')),
  ];
  const options = choicesText(one.options);
  const more = one.wrongUnder - one.wrong.length;
  return (
    `<li><p class="text">${escapeText(one.text)}</p>${options ? `<p class="small">${escapeText(options)}</p>` : ''}` +
    `<p class="small muted">${escapeText(set)}, ${escapeText(one.key)}; right: ${escapeText(one.right.join(' | ')) || 'not given'}; wrong under ${one.wrongUnder} of ${one.scenarios} scenarios${more > 0 ? `, ${one.wrong.length} of them here` : ''}</p>` +
    `<ul>${items.join('')}</ul></li>`
  );
}

/** The list; empty where there is no case. */
export function worstHtml({ worst, sets }: EvaluationResults, drawn: ReadonlyMap<WorstCase, DrawnWorst>): string {
  if (worst.length === 0) return '';
  const cases = worst.map(one => {
    const set = sets.find(({ benchmark }) => benchmark === one.benchmark);
    const titles = new Map(set?.scenarios.map(({ scenario }) => [scenario.name, scenarioTitle(scenario)]) ?? []);
    return caseHtml(one, titles, set?.title ?? one.benchmark, drawn.get(one));
  });
  return `<ul class="worst">${cases.join('\n')}</ul>`;
}
