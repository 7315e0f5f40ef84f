/** @file One or several results as a self-contained HTML report: one file, no requests, keyboard-usable, light and dark. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { base64 } from '../../system/bytes.ts';
import { NarrowsError } from '../../system/errors.ts';
import { wordLabel } from './caption.ts';
import { colourMaps } from './colour-map.ts';
import { isDark, methodLabel, textWord } from './figure-options.ts';
import { answerChips } from './html/answer.ts';
import { articleHtml } from './html/article.ts';
import { legendTexts, reportOverlays } from './html/legend.ts';
import { page } from './html/page.ts';
import { reportScript } from './html/report-script.ts';
import { baseStyle, reportStyle } from './html/style.ts';
import { themeScript } from './html/theme-script.ts';
import { wordMapScale, wordMaps } from './interactions.ts';
import { displayScale } from './normalise.ts';
import { defaultOpacity } from './overlay.ts';
import { dataUri, type PictureCodec, resizeForDisplay } from './picture.ts';
import { escapeText } from './svg.ts';

/**
 * One result and its picture. `command`: what to type to get it again; default: built from the parameters. `part`: what it is among the results of
 * the page, such as `Phrase 1 of 3`.
 */
export interface ReportItem {
  readonly result: Attribution;
  readonly image: RgbImage;
  readonly command?: string;
  readonly part?: string;
}

/** Options of the report. */
export interface ReportOptions {
  readonly title?: string;
  /** Unit at first; the reader can change it. */
  readonly unit?: 'nats' | 'bits';
  /** Longest side of an embedded picture, in pixels. Default 1200. */
  readonly pictureSize?: number;
}

/** Quotes an argument for a POSIX shell where it needs it. */
export const shellQuote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

/** The flags by which a picture was read; those that change nothing are left out. */
function pictureFlags(reading: Attribution['provenance']['image']['reading']): string[] {
  const { window, orientation, format, dicom } = reading ?? {};
  const turned = orientation?.applied && format !== 'tiff' ? ['--auto-orient'] : [];
  if (dicom?.frame !== undefined) turned.push('--frame', `${dicom.frame}`);
  if (dicom?.view && dicom.view.number > 1) return [...turned, '--window', `voi:${dicom.view.number}`];
  if (!window || window.rule === 'auto' || window.rule === 'file') return turned;
  return [...turned, '--window', window.rule === 'pillow' ? 'pillow' : `${window.low},${window.high}`];
}

/** The command that gives the result again, flags named as the parameters are, in kebab case. */
export function commandLine(result: Attribution): string {
  const modality = result.image && result.text ? 'both' : result.image ? 'image' : 'text';
  const { model, image } = result.provenance;
  const parts = ['narrows', 'attribute', '--model', model.name, '--image', image.name, '--text', result.caption, '--method', result.method];
  parts.push('--modality', modality, ...pictureFlags(image.reading));
  for (const [name, value] of Object.entries(result.parameters)) {
    if (value === null || value === undefined || name === 'modality') continue;
    // Lists of texts are the only lists among parameters; in a call they stand between semicolons.
    const list = Array.isArray(value) && value.every(each => typeof each === 'string') ? value.join(';') : undefined;
    if (typeof value === 'object' && list === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`).replace(/_/g, '-')}`;
    if (typeof value === 'boolean') parts.push(value ? flag : flag.replace('--', '--no-'));
    else parts.push(flag, list ?? String(value));
  }
  return parts.map(shellQuote).join(' ');
}

/** Most results of a page. */
export const MOST_RESULTS = 50;

/**
 * The report as one HTML text. Scripts and styles are admitted by hash; texts are escaped; pictures are `data:` URIs.
 * @throws NarrowsError for no results, more than 50, or values that are not finite.
 */
export async function reportHtmlWith(codec: PictureCodec, items: readonly ReportItem[], options: ReportOptions = {}): Promise<string> {
  if (items.length === 0) throw new NarrowsError('A report needs at least one result.');
  if (items.length > MOST_RESULTS)
    throw new NarrowsError(`A report holds at most ${MOST_RESULTS} results, not ${items.length}; use the index page for more.`);
  const limit = options.pictureSize ?? 1200;
  const articles: string[] = [];
  const data: unknown[] = [];
  for (const [index, { result, image, command, part }] of items.entries()) {
    const shrink = Math.min(1, limit / Math.max(image.width, image.height));
    const size = { width: Math.max(1, Math.round(image.width * shrink)), height: Math.max(1, Math.round(image.height * shrink)) };
    const uri = await dataUri(codec, await resizeForDisplay(codec, image, size.width, size.height), 'photo');
    articles.push(articleHtml(result, { index, picture: { uri, ...size }, command: command ?? commandLine(result), part }));
    // Refuses values that are not finite, before they reach a page that could only show dashes.
    if (result.image) displayScale(result.image.patches, result.unit);
    if (result.text)
      displayScale(
        result.text.words.map(word => word.value),
        result.unit,
      );
    for (const { patches, words } of result.answer?.parts ?? [])
      for (const values of [patches, words]) if (values) displayScale(values, result.unit);
    data.push({
      unit: result.unit,
      ...size,
      dark: isDark(image),
      originalWidth: image.width,
      originalHeight: image.height,
      image: result.image && {
        grid: result.image.grid,
        view: result.image.view,
        patches: Array.from(result.image.patches, v => Number(v.toPrecision(7))),
      },
      textWord: textWord(result),
      answer: answerChips(result),
      interactions: wordMaps(result).map(map => ({ word: map.word, values: Array.from(map.patches, v => Number(v.toPrecision(5))) })),
      words: result.text?.words.map(word => ({ text: wordLabel(word), start: word.start, end: word.end, value: word.value })),
    });
  }
  const first = items[0].result;
  const title = options.title ?? (items.length === 1 ? `${methodLabel(first)}: ${first.caption}` : `${items.length} attributions`);
  const opacity = Object.fromEntries(Object.entries(defaultOpacity).map(([name, value]) => [name, Math.round(100 * value)]));
  return page({
    title,
    style: baseStyle + reportStyle,
    body: `<header class="top"><div class="title"><h1>${escapeText(options.title ?? 'What the model relies on')}</h1><button id="theme" type="button" hidden>Theme: system</button></div>${howToRead(items)}</header>\n${toolbar(items, options)}\n<main>${articles.join('\n')}</main>\n<p id="live" class="hidden" role="status" aria-live="polite"></p><noscript><p class="top">Scripts are off: the maps are not drawn, the tables below each picture hold every number.</p></noscript>`,
    script: themeScript + reportScript,
    data: { items: data, opacity, legends: legendTexts(), maps: colourMaps.map(map => ({ name: map.name, table: base64(map.table) })) },
  });
}

/** Which legends an item needs, as places among `legendTexts`. */
function legendsOf({ result }: ReportItem): number[] {
  const side = (values: ArrayLike<number>): number => Number(displayScale(values, result.unit).signed);
  const together = wordMaps(result);
  return [
    ...(result.image ? [side(result.image.patches)] : []),
    ...(result.image && together.length > 0 ? [Number(wordMapScale(together).signed)] : []),
    ...(result.text ? [2 + side(result.text.words.map(word => word.value))] : []),
  ];
}

function howToRead(items: readonly ReportItem[]): string {
  const nats = items.some(({ result }) => result.unit === 'nats' && result.cosine !== undefined);
  const answered = items.some(({ result }) => result.unit === 'nats' && result.answer !== undefined);
  const kept = items.some(({ result }) => result.unit === 'nats' && result.cosine === undefined && result.answer === undefined);
  const scores = items.some(item => item.result.unit === 'score');
  const texts: string[] = [];
  if (kept) {
    texts.push(
      "A patch or word with a large number is one of which the bottleneck inside the model keeps much: the number is the KL divergence of the bottleneck's distribution for this input from its prior, in nats or bits. It says how much the model keeps, not whether the answer needs it.",
    );
  }
  if (answered) {
    texts.push(
      'A patch or word with a large number carries information that the model needs to give this answer: the number says how many nats (or bits) got through the bottleneck there, as far as this optimisation went; fewer may do. Each word of the answer has a map of its own: hover over it, or step through the words by Tab and the arrow keys.',
    );
  }
  if (nats) {
    texts.push(
      'A patch or word with a large number carries information that the model needs to match this image with this caption: the number says how many nats (or bits) got through the bottleneck there, as far as this optimisation went. Where there is none, the model can do without. A map of less than one bit in total stays dim.',
    );
  }
  const needed = new Set(items.flatMap(item => legendsOf(item)));
  const signedScores = items.some(item => item.result.unit === 'score' && legendsOf(item).some(place => place % 2 === 1));
  if (scores)
    texts.push(
      signedScores
        ? 'Scores say how much a patch or word raises (above zero) or lowers (below zero) what is explained.'
        : 'Scores say how much a patch or word counts for what is explained; they have no unit, and only their order and shares compare between methods.',
    );
  const hasImage = items.some(item => item.result.image);
  // The script keeps these true when another overlay or other colours are chosen.
  const legends = legendTexts().blended.auto.map((text, place) =>
    needed.has(place) ? `<span class="legend" data-place="${place}">${escapeText(text)}</span>` : '',
  );
  return `<p class="muted"><b>How to read this.</b> ${[...texts, ...legends.filter(Boolean)].join(' ')}${hasImage ? ' Grey margins were cut off before the model saw the image.' : ''}</p>`;
}

function toolbar(items: readonly ReportItem[], options: ReportOptions): string {
  const option = (value: string, text: string, selected = false) =>
    `<option value="${value}"${selected ? ' selected' : ''}>${text}</option>`;
  const hasImage = items.some(item => item.result.image);
  const hasNats = items.some(item => item.result.unit === 'nats');
  const off = (show: boolean) => (show ? '' : ' hidden');
  return (
    `<div class="tools" role="toolbar" aria-label="Display" hidden>` +
    `<label${off(hasImage)}>Overlay <select id="method">${reportOverlays.map(([value, text]) => option(value, text)).join('')}</select></label>` +
    `<label${off(hasImage)}>Opacity <input id="opacity" type="range" min="0" max="100" value="${Math.round(100 * defaultOpacity.blended)}"> <output id="opacity-value" for="opacity"></output></label>` +
    `<label>Colours <select id="map">${option('auto', 'default')}${colourMaps.map(map => option(map.name, map.name.replace('narrows-', ''))).join('')}</select></label>` +
    `<label${off(hasNats)}>Unit <select id="unit">${option('nats', 'nats')}${option('bits', 'bits', options.unit === 'bits')}</select></label>` +
    `<label${off(hasImage)}><input id="smooth" type="checkbox" checked> Smooth</label>` +
    `<label${off(hasImage)}><input id="grid" type="checkbox"> Patch lines</label></div>`
  );
}
