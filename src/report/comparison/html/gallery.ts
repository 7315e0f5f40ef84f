/** @file Cases of the gallery: the picture, then every method's map with its value, the reference first. */

import type { ComparisonResults, ResultCase, ResultMap, ResultMethod } from '../../../evaluation/compare/results.ts';
import type { Modality } from '../../../models/dual-encoder.ts';
import { drawStrip, layoutStrip } from '../../attribution/caption.ts';
import { defaultColourMap } from '../../attribution/colour-map.ts';
import { digitsFor, displayScale, formatValue } from '../../attribution/normalise.ts';
import { escapeText, toSvg } from '../../attribution/svg.ts';
import { byFamily } from '../by-category.ts';
import type { DrawnCase } from '../draw-gallery.ts';

const PLACES = { best: 'Best', median: 'Median', worst: 'Worst' } as const;

/** A case with its pictures. */
export function caseHtml(results: ComparisonResults, modality: Modality, one: ResultCase, drawn: DrawnCase): string {
  const metric = results.metrics.find(m => m.name === one.metric);
  const reference = results.methods.find(m => m.name === results.reference)!;
  const ordered = [reference, ...byFamily(results.methods).filter(m => m !== reference)];
  const maps = ordered.flatMap(method => {
    const map = one.maps.find(each => each.method === method.name);
    return map ? [{ method, map }] : [];
  });
  const digits = maps.reduce((most, { map }) => Math.max(most, Math.abs(map.value) || 0), 0);
  const value = (map: ResultMap): string => formatValue(map.value, Math.max(2, digitsFor(digits)));
  const title = escapeText(metric?.title ?? one.metric);
  const head = `<p><b>${PLACES[one.place]} case</b> <span>“${escapeText(one.caption)}”</span> <span class="small muted">${escapeText(one.pair)}; numbers are ${title}; chosen by its value for ${escapeText(reference.title)}</span></p>`;
  const picture = `<img loading="lazy" alt="${escapeText(one.caption)}" src="${drawn.picture}">`;
  if (modality === 'text') {
    const rows = maps.map(
      ({ method, map }) =>
        `<li><span>${escapeText(method.title)}</span>${words(one, map, method)}<span class="value">${value(map)}</span></li>`,
    );
    return `<div class="case">${head}<div class="shown">${picture}<ul class="strips">${rows.join('\n')}</ul></div></div>`;
  }
  const items = maps.map(
    ({ method, map }) =>
      `<li><img loading="lazy" alt="Map of ${escapeText(method.title)}" src="${drawn.maps.get(map.method)}">${escapeText(method.title)} <span class="note">${value(map)}</span></li>`,
  );
  return `<div class="case">${head}<ul class="maps"><li>${picture}picture${one.mask ? ' and truth' : ''}</li>${items.join('\n')}</ul></div>`;
}

/** Width of a strip of words, and how much of its wide margin is cut off. */
const [WIDTH, TRIM] = [330, 9];

/** The caption on the colours of a map's values; each map has its own scale. */
function words({ words: texts = [], truth, caption }: ResultCase, { values, unit }: ResultMap, method: ResultMethod): string {
  const finite = Array.from(values, v => (Number.isFinite(v) ? v : 0));
  const scale = displayScale(finite, unit);
  const scores = finite.map((value, i) => ({ text: texts[i] ?? '', start: 2 * i, end: 2 * i + 1, value, tokens: [] }));
  const strip = layoutStrip(scores, caption, scale, WIDTH, 14, false);
  const map = defaultColourMap(scale.signed);
  const card = toSvg(drawStrip(strip, { left: 0, top: 0, width: WIDTH, height: strip.height }, map, scale, false), { text: 'live' });
  const named = texts.filter((_, i) => truth?.[i] === 1);
  const about = `${method.title}: ${scores.map(s => `${s.text} ${formatValue(s.value, 2)}`).join(', ')}${named.length > 0 ? `. The picture shows: ${named.join(', ')}` : ''}`;
  return `<svg role="img" aria-label="${escapeText(about)}" width="${WIDTH - 2 * TRIM}" height="${strip.height - 2 * TRIM}" viewBox="${TRIM} ${TRIM} ${WIDTH - 2 * TRIM} ${strip.height - 2 * TRIM}">${card}</svg>`;
}
