/** @file The report of an evaluation as one self-contained page: it asks the network for nothing; every number is also in a table. */
import type { EvaluationResults, WorstCase } from '../../evaluation/run/results.ts';
import { page } from '../attribution/html/page.ts';
import { baseStyle } from '../attribution/html/style.ts';
import { themeScript } from '../attribution/html/theme-script.ts';
import { warningList } from '../attribution/html/warnings.ts';
import { escapeText } from '../attribution/svg.ts';
import { sortScript } from '../comparison/html/script.ts';
import { comparisonStyle } from '../comparison/html/style.ts';
import { chartVariables, pageChart } from '../comparison/svg/palette.ts';
import type { EmbeddedAnswers } from './answers.ts';
import type { DrawnWorst } from './draw-worst.ts';
import { answersHtml } from './html/answers.ts';
import { partsHtml } from './html/categories.ts';
import { changesHtml, powerHtml } from './html/changes.ts';
import { matrixHtml } from './html/matrix.ts';
import { provenanceHtml, readingHtml, unansweredHtml } from './html/notes.ts';
import { headlineHtml, rulesHtml, scoresHtml } from './html/scores.ts';
import { searchScript } from './html/script.ts';
import { evaluationStyle } from './html/style.ts';
import { worstHtml } from './html/worst.ts';
import { matrixOf } from './matrix.ts';
import { distanceChart, distancesOf } from './svg/distance-chart.ts';
import { dropsChart } from './svg/drops-chart.ts';
import { heatStyle } from './svg/heat.ts';
import { allWarnings } from './warnings.ts';

/** Rows of a list that are open when the page is. */
const FEW_SETS = 3;

interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

const muted = (text: string): string => `<p class="muted small reading">${text}</p>`;

/** One fold per set, of those that have something to show; the first few are open. */
function perSet({ sets }: EvaluationResults, of: (set: EvaluationResults['sets'][number]) => string): string {
  const parts = sets.flatMap(set => {
    const html = of(set);
    return html === '' ? [] : [{ title: set.title, html }];
  });
  return parts
    .map(
      ({ title, html }) =>
        `<details${parts.length <= FEW_SETS ? ' open' : ''}><summary><b>${escapeText(title)}</b></summary>${html}</details>`,
    )
    .join('');
}

const figure = (svg: string, name: string): string =>
  `<div class="figure" tabindex="0" role="region" aria-label="${escapeText(name)}">${svg}</div>`;

function sectionsOf(results: EvaluationResults, embedded: EmbeddedAnswers, drawn: ReadonlyMap<WorstCase, DrawnWorst>): Section[] {
  const matrix = matrixOf(results);
  const section = (id: string, title: string, about: string, html: string): Section[] =>
    html === '' ? [] : [{ id, title, html: `${about === '' ? '' : muted(about)}${html}` }];
  const drops = perSet(results, set => {
    const chart = dropsChart(set, pageChart);
    return chart ? figure(chart.svg, `Changes of ${set.title}`) : '';
  });
  return [
    ...section('glance', 'At a glance', 'Δ: mean change over scenarios of a kind, in points of right answers.', headlineHtml(results)),
    ...section(
      'matrix',
      'Shifts',
      'Points lost and gained against the clean set; the stronger the colour, the larger the change (orange: lost, blue: gained). † not significant by the paired test. Hover for intervals.',
      matrix ? matrixHtml(matrix) : '',
    ),
    ...section(
      'changes',
      'Changes against the clean set',
      'Paired, question by question. <span class="key lost"></span> lost: right on the clean set, wrong under the shift; <span class="key won"></span> won: the reverse.',
      perSet(results, changesHtml) + (drops === '' ? '' : `<h3>As a picture</h3>${drops}`),
    ),
    ...section('scores', 'Scores', 'With 95 % intervals by a bootstrap over pictures.', perSet(results, scoresHtml)),
    ...section(
      'rules',
      'The same answers, other rules',
      'Official programs read the same answers differently; a score is only comparable with scores by the same rule.',
      perSet(results, rulesHtml),
    ),
    ...section(
      'parts',
      'By category and by split',
      '',
      perSet(results, set => partsHtml(set, 'byCategory') + partsHtml(set, 'bySplit')),
    ),
    ...section(
      'distances',
      'Distances and accuracy',
      'Each point is a scenario. r is Pearson’s, with a 95 % interval (Fisher’s z) that takes scenarios for independent, which severities of one shift are not.',
      perSet(results, set => {
        const charts = distancesOf(set).map(plot => figure(distanceChart(set, plot, pageChart).svg, `${set.title}: ${plot.distance}`));
        return charts.length > 0 ? `<div class="pair">${charts.join('')}</div>` : '';
      }),
    ),
    ...section(
      'power',
      'What these questions can show',
      'With 80 % power at a level of 5 %, by how the paired differences vary. A dash: no answer changed, so nothing is known of it.',
      perSet(results, powerHtml),
    ),
    ...section(
      'worst',
      'Worst cases',
      'Questions that go wrong under the most scenarios, those first that are right on the clean set.',
      worstHtml(results, drawn),
    ),
    ...section('unanswered', 'Left out and not answered', '', unansweredHtml(results)),
    ...section('answers', 'Every answer', '', answersHtml(results, embedded)),
    ...section('provenance', 'Provenance', '', provenanceHtml(results)),
  ];
}

/** The page. Every text from outside is escaped. @param drawn pictures of the worst cases, see `drawWorst` */
export function evaluationHtml(
  results: EvaluationResults,
  embedded: EmbeddedAnswers,
  drawn: ReadonlyMap<WorstCase, DrawnWorst> = new Map(),
): string {
  const title = `Evaluation of ${results.model}`;
  const sections = sectionsOf(results, embedded, drawn);
  const links = sections.map(({ id, title: name }) => `<li><a href="#${id}">${name}</a></li>`);
  const body =
    `<header class="top"><div class="title"><h1>${escapeText(title)}</h1><button id="theme" type="button" hidden>Theme: system</button></div>${readingHtml(results)}</header>` +
    `<nav class="jump" aria-label="Parts"><ul>${links.join('')}</ul></nav><main>${warningList(allWarnings(results))}` +
    `${sections.map(({ id, title: name, html }) => `<section class="part" id="${id}"><h2>${name}</h2>${html}</section>`).join('\n')}</main>` +
    `<p id="live" class="hidden" role="status" aria-live="polite"></p>`;
  const { texts, rows, correct } = embedded;
  return page({
    title,
    style: baseStyle + chartVariables + comparisonStyle + heatStyle + evaluationStyle,
    body,
    script: themeScript + sortScript + searchScript,
    data: { answers: { texts, rows, correct } },
  });
}
