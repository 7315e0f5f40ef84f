/** @file The comparison as one self-contained HTML page: it asks the network for nothing; every number is also in a table. */

import { CURVE_STEPS, type ResultPair } from '../../evaluation/compare/results.ts';
import { page } from '../attribution/html/page.ts';
import { baseStyle } from '../attribution/html/style.ts';
import { themeScript } from '../attribution/html/theme-script.ts';
import { warningList } from '../attribution/html/warnings.ts';
import { escapeText } from '../attribution/svg.ts';
import type { Analysis, PartAnalysis } from './analyse.ts';
import { byCategory } from './by-category.ts';
import { type NamedChart, partCharts } from './charts.ts';
import type { DrawnGallery } from './draw-gallery.ts';
import { partTitle } from './format.ts';
import { costHtml } from './html/costs.ts';
import { caseHtml } from './html/gallery.ts';
import { glanceHtml } from './html/glance.ts';
import { sortScript } from './html/script.ts';
import { comparisonStyle } from './html/style.ts';
import { categoryHtml, metricHtml } from './html/tables.ts';
import { chartVariables, pageChart } from './svg/palette.ts';

/** The page. Every text from outside is escaped. @param drawn the gallery's pictures, see `drawGallery` */
export function comparisonHtml(analysis: Analysis, drawn: DrawnGallery): string {
  const { results, parts } = analysis;
  const title = results.title ?? 'Comparison of attribution methods';
  const links = parts.map(({ part }, i) => `<li><a href="#part-${i}">${escapeText(partTitle(part))}</a></li>`);
  const body =
    `<header class="top"><div class="title"><h1>${escapeText(title)}</h1><button id="theme" type="button" hidden>Theme: system</button></div>${intro(analysis)}</header>` +
    `<nav class="jump" aria-label="Parts"><ul>${links.join('')}<li><a href="#provenance">Provenance</a></li></ul></nav>` +
    `<main>${warningList(results.warnings)}${parts.map((part, i) => partHtml(analysis, part, i, drawn)).join('\n')}${provenance(analysis)}</main>` +
    `<p id="live" class="hidden" role="status" aria-live="polite"></p>`;
  return page({ title, style: baseStyle + chartVariables + comparisonStyle, body, script: themeScript + sortScript, data: {} });
}

function intro({ results, level, alpha, resamples, flips }: Analysis): string {
  const { model, data, seeds, methods, metrics } = results;
  const controls = methods.filter(m => m.family === 'control').length;
  const facts: [string, string][] = [
    ['model', model.name],
    ['data', data.style ? `${data.name} (${data.style})` : data.name],
    ['pairs', String(data.samples)],
    ['methods', `${methods.length}, of them ${controls} ${controls === 1 ? 'control' : 'controls'}`],
    ['metrics', String(metrics.length)],
    ['seeds', String(seeds.length)],
  ];
  const reference = escapeText(methods.find(m => m.name === results.reference)!.title);
  return (
    `<div class="facts">${facts.map(([name, value]) => `<span>${name} <b>${escapeText(value)}</b></span>`).join('')}</div>` +
    `<p class="muted small reading">Numbers are means over pairs; seeds are averaged within a pair first. Bars are ${100 * level} % BCa bootstrap intervals over pairs (${resamples} resamples). ` +
    `<b>Bold</b> is the best of a column; † is not clearly different from it: a paired sign-flip test (${flips} flips), corrected by Holm over the methods of the metric, gives p &gt; ${alpha}. ` +
    `Differences are to <b>${reference}</b>, on the pairs that both have. NaN counts values that a metric does not define; they are left out. Controls look at no model: where a method does not beat them, its maps say nothing that they do not.</p>`
  );
}

const CHARTS: Readonly<Record<NamedChart['kind'], readonly [heading: string, about: string]>> = {
  ranks: [
    'Ranks',
    'Strongest colour: best of the metric; next: not clearly different from it; the fainter, the further down. Mean place is over metrics of faithfulness and localisation, 0 for always best, 1 for always last. A dash or “n” marks a method that has no value or was judged on clearly fewer pairs, and is not ranked.',
  ],
  curves: [
    'Insertion and deletion',
    `Similarity as the parts that a map calls important are inserted or deleted, most important first; in ${CURVE_STEPS} steps and with the first seed, whatever steps the metrics have. In colour: the reference, the four methods with the largest area between the two curves, and the best control.`,
  ],
  cost: ['Cost against quality', 'Up and left is better. The dotted line joins methods that no other beats in both.'],
  forest: ['Differences', ''],
};

/** Columns of a table that a page has room for. */
const TABLES = { together: 6, most: 7 };

const clustered = (pairs: readonly ResultPair[]): string => {
  const clusters = new Set(pairs.map(({ cluster }, i) => (cluster === undefined ? `pair ${i}` : `cluster ${cluster}`))).size;
  return clusters < pairs.length ? ` They come in ${clusters} clusters, each of which counts as one observation.` : '';
};

/** What must be said where no test can find anything, whatever the values. */
function few({ results, alpha }: Analysis, pairs: number): string {
  const least = 2 ** (1 - pairs) * Math.max(1, results.methods.length - 1);
  return pairs > 1 && least > alpha
    ? ` These are too few to tell ${results.methods.length} methods apart: corrected, no p-value can fall to ${alpha}.`
    : '';
}

function partHtml(analysis: Analysis, part: PartAnalysis, index: number, drawn: DrawnGallery): string {
  const { results } = analysis;
  const { pairs, gallery, modality, skipped = {}, failures = {} } = part.part;
  const charts = partCharts(analysis, part, pageChart, false);
  const figured = (['ranks', 'curves', 'cost'] as const).flatMap(kind => {
    const list = charts.filter(c => c.kind === kind);
    if (list.length === 0) return [];
    const [heading, about] = CHARTS[kind];
    const figures = list.map(c => `<div class="figure" tabindex="0" role="region" aria-label="${heading}">${c.chart.svg}</div>`);
    return [`<h3>${heading}</h3><p class="muted small reading">${about}</p>${figures.join('')}`];
  });
  const titles = new Map(results.methods.map(m => [m.name, m.title]));
  const absent = Object.entries(skipped).map(([name, reason]) => {
    const failed = failures[name] ? ` (${failures[name]} of ${pairs.length} pairs)` : '';
    return `<li><b>${escapeText(titles.get(name) ?? name)}</b>${failed}: ${escapeText(reason)}</li>`;
  });
  const referenced = part.tables.some(t => t.rows.some(r => r.toReference));
  return (
    `<section class="part" id="part-${index}"><h2>${escapeText(partTitle(part.part))}</h2><p class="muted">${pairs.length} ${pairs.length === 1 ? 'pair: there are no intervals and no tests with one' : 'pairs'}.${clustered(pairs)}${few(analysis, pairs.length)}${referenced || part.tables.length === 0 ? '' : ' The reference has no values here, so there are no differences to it.'}</p>` +
    `<h3>At a glance</h3>${glanceHtml(analysis, part)}${figured.join('')}` +
    `<h3>Tables</h3><p class="muted small">Press a column’s name to sort; hover for intervals and readings.</p>${byCategory(
      analysis,
      part,
      TABLES,
    )
      .map(table => categoryHtml(analysis, table))
      .join('')}${costHtml(analysis, part)}` +
    `<h3>Every metric in full</h3>${part.tables.map(table => metricHtml(analysis, table)).join('')}` +
    `${absent.length > 0 ? `<h3>Left out</h3><ul class="small">${absent.join('')}</ul>` : ''}` +
    `${gallery.length > 0 ? `<h3>Gallery</h3><p class="muted small reading">Cases on which the reference does best, middling and worst; every map has its own colour scale.</p>${gallery.map(one => caseHtml(results, modality, one, drawn.get(one)!)).join('')}` : ''}</section>`
  );
}

function provenance({ results }: Analysis): string {
  const rows: [string, string][] = [
    ['model', `${results.model.name} (sha256 ${results.model.sha256})`],
    ...Object.entries(results.provenance).map(([name, value]): [string, string] => [name, String(value)]),
    ['seeds', results.seeds.join(', ')],
  ];
  const list = rows.map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`).join('');
  return `<section class="part" id="provenance"><h2>Provenance</h2><dl class="provenance">${list}</dl></section>`;
}
