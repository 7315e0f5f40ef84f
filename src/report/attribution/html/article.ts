/** @file One result as an article of the HTML report: the parts that stand still. What moves is the script's. */

import type { Attribution, Convergence, ImageAttribution, TextAttribution } from '../../../attribution/result.ts';
import { recordNotes } from '../../../inputs/image/picture-warnings.ts';
import { median } from '../../../tensor/statistics/descriptive.ts';
import { answerText } from '../answer.ts';
import { wordLabel } from '../caption.ts';
import { explained, methodLabel, textWord } from '../figure-options.ts';
import { rightToLeft } from '../glyphs.ts';
import { digitsFor, formatValue } from '../normalise.ts';
import { escapeText } from '../svg.ts';
import { settledNote, VERDICT_TEXT } from '../verdict.ts';
import { answerSection, answerTable } from './answer.ts';
import { lossChart } from './loss-chart.ts';
import { warningList } from './warnings.ts';

/** What stands around a result. */
export interface ArticleContext {
  readonly index: number;
  /** `data:` URI of the picture, its size as embedded. */
  readonly picture: { readonly uri: string; readonly width: number; readonly height: number };
  readonly command: string;
  /** What the result is among those of the page. */
  readonly part?: string;
}

function badge(convergence: Convergence, what: string): string {
  if (convergence.verdict === 'no-optimisation') return '';
  return `<span class="badge ${convergence.verdict}" title="${escapeText(convergence.note)}">${what} ${VERDICT_TEXT[convergence.verdict]}</span>`;
}

const bits = (value: number): string => formatValue(value, digitsFor(value));

function factLine(result: Attribution): string {
  const facts = [`<span>${escapeText(methodLabel(result))} on <b>${escapeText(result.provenance.model.name)}</b></span>`];
  if (result.cosine !== undefined) facts.push(`<span>cosine <b>${formatValue(result.cosine, 3)}</b></span>`);
  if (result.unit === 'nats' && result.image)
    facts.push(`<span>image <b>${bits(result.image.totalBits ?? 0)} bits</b>${settledNote(result.image)}</span>`);
  if (result.unit === 'nats' && result.text)
    facts.push(`<span>${textWord(result)} <b>${bits(result.text.totalBits ?? 0)} bits</b>${settledNote(result.text)}</span>`);
  if (typeof result.parameters.seed === 'number') facts.push(`<span>seed <b>${result.parameters.seed}</b></span>`);
  const stable = result.image?.stability ?? result.text?.stability;
  if (stable) facts.push(`<span>rank stability <b>${formatValue(stable.rankStability, 2)}</b> over ${stable.seeds.length} seeds</span>`);
  const { score } = result.image ?? {};
  if (result.answer) facts.push(`<span>answers ${escapeText(answerText(result.answer))}</span>`);
  for (const { map, target } of explained(result)) {
    const first = map === 'image map' || map === 'both maps';
    const value = first && score !== undefined ? ` <b>${formatValue(score, 3)}</b>` : '';
    facts.push(`<span>${first ? '' : `${map} `}explains ${escapeText(target)}${value}</span>`);
  }
  for (const [part, what] of [
    [result.image, 'image'],
    [result.text, textWord(result)],
  ] as const) {
    if (part?.convergenceDelta !== undefined)
      facts.push(
        `<span title="sum of the map minus the difference of the target between input and baseline">${what}: convergence delta <b>${formatValue(part.convergenceDelta, 4)}</b></span>`,
      );
    if (part?.standardError)
      facts.push(`<span title="median over tokens">${what}: standard error <b>${formatValue(median(part.standardError), 4)}</b></span>`);
  }
  if (result.interactions?.fit !== undefined) facts.push(`<span>R² of the fit <b>${formatValue(result.interactions.fit, 3)}</b></span>`);
  if (result.image) facts.push(badge(result.image.convergence, 'image:'));
  if (result.text) facts.push(badge(result.text.convergence, `${textWord(result)}:`));
  return `<div class="facts">${facts.join('')}</div>`;
}

function charts(part: ImageAttribution | TextAttribution | undefined, answered: boolean): string {
  if (!part || part.convergence.fit.length < 2) return '';
  const { fit, compression, note } = part.convergence;
  return (
    `<section class="more"><h3>How the optimisation went</h3><div class="charts">${lossChart(answered ? 'Fit (log-probability)' : 'Fit (cosine to target)', fit)}` +
    `${lossChart('Compression (weighted)', compression)}</div><p class="small muted">${escapeText(note)}</p></section>`
  );
}

function tables(result: Attribution): string {
  const parts: string[] = [];
  const unit = result.unit === 'nats' ? 'nats' : 'score';
  if (result.image) {
    const { patches, grid } = result.image;
    const digits = Math.max(3, digitsFor(patches.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
    const head = Array.from({ length: grid[1] }, (_, c) => `<th scope="col">${c + 1}</th>`).join('');
    const rows = Array.from({ length: grid[0] }, (_, r) => {
      const cells = Array.from({ length: grid[1] }, (_, c) => `<td>${formatValue(patches[r * grid[1] + c], digits)}</td>`);
      return `<tr><th scope="row">${r + 1}</th>${cells.join('')}</tr>`;
    });
    parts.push(
      `<details><summary>Every patch in numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Values of the patches"><table class="map">` +
        `<caption class="hidden">Rows and columns of patches, ${unit}</caption><tr><td></td>${head}</tr>${rows.join('')}</table></div></details>`,
    );
  }
  if (result.text) {
    const total = result.text.words.reduce((sum, word) => sum + Math.abs(word.value), 0);
    const rows = result.text.words.map(
      word =>
        `<tr><th scope="row"><bdi>${escapeText(wordLabel(word))}</bdi></th><td class="number">${formatValue(word.value, 4)}</td>` +
        `<td class="number">${total > 0 ? ((100 * Math.abs(word.value)) / total).toFixed(1) : '–'} %</td></tr>`,
    );
    parts.push(
      `<details><summary>Every word in numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Values of the words"><table>` +
        `<tr><th scope="col">word</th><th scope="col" class="number">${unit}</th><th scope="col" class="number">share</th></tr>${rows.join('')}</table></div></details>`,
    );
  }
  return parts.join('');
}

function provenance(result: Attribution): string {
  const { narrows, runtime, model, image, createdAt } = result.provenance;
  const value = (item: unknown) => (typeof item === 'string' ? item : (JSON.stringify(item) ?? ''));
  const rows: [string, string][] = [
    ...Object.entries(result.parameters).map(([name, item]): [string, string] => [name, value(item)]),
    ['model', `${model.name} (sha256 ${model.sha256})`],
    ['image', `${image.name}, ${image.width}×${image.height} (sha256 ${image.sha256})`],
    ...recordNotes(image.reading).map((note): [string, string] => ['picture', note]),
    ['made by', `Narrows ${narrows}, ${runtime}, ${createdAt}`],
    ...Object.entries(result.timings).map(([phase, seconds]): [string, string] => [`time: ${phase}`, `${formatValue(seconds, 2)} s`]),
  ];
  const body = rows.map(([name, text]) => `<tr><th scope="row">${escapeText(name)}</th><td>${escapeText(text)}</td></tr>`).join('');
  return `<details><summary>Parameters and provenance</summary><table>${body}</table></details>`;
}

/** The article. Every text from outside is escaped. */
export function articleHtml(result: Attribution, { index, picture, command, part }: ArticleContext): string {
  const direction = rightToLeft(result.caption) ? ' dir="rtl"' : '';
  const { grid } = result.image ?? { grid: [0, 0] };
  const tiny = Math.max(picture.width, picture.height) < 256 ? ' class="tiny"' : '';
  const photo = `<img${tiny} alt="${escapeText(result.provenance.image.name)}" width="${picture.width}" height="${picture.height}" src="${picture.uri}">`;
  const stage = result.image
    ? `<div class="stage" tabindex="0" role="application" aria-roledescription="map of patches" aria-label="Map of ${grid[0]} by ${grid[1]} patches over the image. ` +
      `Arrow keys move, Enter pins.">${photo}<canvas aria-hidden="true"></canvas><div class="marks" aria-hidden="true"></div></div><div class="bar" aria-hidden="true"></div>`
    : photo;
  const left =
    `<div><div class="head"><h3>${result.image ? 'Image' : 'Image (no map)'}</h3><span class="patch-unit small muted"></span></div>` +
    `<div class="frame">${stage}</div>${result.image ? '<p class="readout patch"></p>' : ''}${charts(result.image, result.answer !== undefined)}</div>`;
  const right = result.text
    ? `<div><div class="head"><h3>${textWord(result) === 'caption' ? 'Caption' : 'Question'}</h3><span class="word-unit small muted"></span></div><div class="words" role="group" aria-label="Words of the ${textWord(result)}"${direction}></div>` +
      `<p class="readout word-value"></p><ul class="pins" aria-label="Pinned values"></ul>${charts(result.answer ? undefined : result.text, false)}</div>`
    : '';
  return (
    `<article id="result-${index}" aria-labelledby="caption-${index}">${part ? `<p class="part small muted">${escapeText(part)}</p>` : ''}<h2 id="caption-${index}"${result.caption.length > 300 ? ' class="long"' : ''}${direction}>“${escapeText(result.caption)}”</h2>${factLine(result)}${warningList(result.warnings)}${answerSection(result)}` +
    `<div class="views${right ? '' : ' single'}">${left}${right}</div>${right ? '' : '<ul class="pins" aria-label="Pinned values"></ul>'}` +
    `${tables(result)}${answerTable(result)}${provenance(result)}` +
    `<div class="command"><pre tabindex="0" aria-label="The same on the command line">${escapeText(command)}</pre><button class="copy" type="button">Copy</button></div></article>`
  );
}
