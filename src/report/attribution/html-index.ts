/** @file The index page of a bulk run: a sortable table of pairs with thumbnails, each linking to its own report. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { barPaints, colourBar } from './colour-bar.ts';
import { defaultColourMap } from './colour-map.ts';
import type { CommonScale } from './common-scale.ts';
import { rightToLeft } from './glyphs.ts';
import { indexScript } from './html/index-script.ts';
import { legendText } from './html/legend.ts';
import { page } from './html/page.ts';
import { baseStyle, indexStyle } from './html/style.ts';
import { themeScript } from './html/theme-script.ts';
import { FAILED, furtherText, type IndexRow, rowOf } from './index-row.ts';
import { digitsFor, formatValue, type Scale } from './normalise.ts';
import { defaultOpacity } from './overlay.ts';
import type { PictureCodec } from './picture.ts';
import { escapeText, toSvg } from './svg.ts';
import { themes } from './theme.ts';
import { thumbnailWith } from './thumbnail.ts';

/** The row of a result. @param scale of the thumbnail, the same for all rows of a page (`commonScale`); default: the map's */
export const indexRowWith = async (
  codec: PictureCodec,
  result: Attribution,
  image: RgbImage,
  href?: string,
  scale?: Scale,
): Promise<IndexRow> => ({ ...rowOf(result, href), thumbnail: await thumbnailWith(codec, result, image, scale) });

interface Column {
  readonly kind: 'text' | 'number';
  readonly name: string;
  /** Its cell of a row. */
  cell(row: IndexRow): string;
}

/** A name with places at which it may be broken: after a slash, a dash, an underscore or a dot. */
const breakable = (name: string): string => escapeText(name).replace(/[/\\_.-]+(?=.)/g, '$&<wbr>');

/** A sentence whose paths may be broken after a slash. */
const sentence = (text: string): string => escapeText(text).replace(/[/\\]+(?=[^\s/\\])/g, '$&<wbr>');

const numberCell = (value: number | undefined, text: (value: number) => string): string =>
  value === undefined || !Number.isFinite(value)
    ? '<td class="number" data-value="">–</td>'
    : `<td class="number" data-value="${value}">${text(value)}</td>`;

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

function columnsOf(rows: readonly IndexRow[], further: readonly string[]): Column[] {
  // Columns follow the method: scores have no bits.
  const hasBits = rows.some(row => row.imageBits !== undefined || row.captionBits !== undefined) || rows.every(isFailed);
  const bits = (value: number): string => formatValue(value, digitsFor(value));
  const number = (name: string, of: (row: IndexRow) => number | undefined, text: (value: number) => string): Column => ({
    kind: 'number',
    name,
    cell: row => numberCell(of(row), text),
  });
  return [
    { kind: 'text', name: 'Caption', cell: captionCell },
    {
      kind: 'text',
      name: 'Image',
      cell: row => `<td class="file" data-value="${escapeText(row.image)}">${breakable(row.image)}</td>`,
    },
    number(
      'Cosine',
      row => row.cosine,
      value => formatValue(value, 3),
    ),
    ...(hasBits
      ? [number('Shared bits, image', row => row.imageBits, bits), number('Shared bits, caption', row => row.captionBits, bits)]
      : []),
    ...(rows.some(row => row.insideBox !== undefined) ? [number('Inside the box', row => row.insideBox, percent)] : []),
    { kind: 'text', name: 'Verdict', cell: verdictCell },
    ...further.map(name => furtherColumn(rows, name)),
  ];
}

/** A column of the list: of numbers where every value is one. */
function furtherColumn(rows: readonly IndexRow[], name: string): Column {
  const of = (row: IndexRow): string => furtherText(row.further?.[name]).trim();
  const kind = rows.every(row => of(row) === '' || Number.isFinite(Number(of(row)))) ? 'number' : 'text';
  return {
    kind,
    name,
    cell: row => `<td class="${kind === 'number' ? 'number' : 'further'}" data-value="${escapeText(of(row))}">${escapeText(of(row))}</td>`,
  };
}

/** Only addresses that stay in the page's folder: a row must not smuggle in a script or another host. */
const relative = (href: string): boolean => !/^\s*(?:[a-z][a-z0-9+.-]*:|\/\/|\\)/i.test(href);

const isFailed = (row: IndexRow): boolean => row.verdict.startsWith(FAILED);

/** Rows of all pages of an index. */
export interface IndexCounts {
  readonly total: number;
  readonly failed: number;
  readonly warned: number;
}

const countsOf = (rows: readonly IndexRow[]): IndexCounts => ({
  total: rows.length,
  failed: rows.filter(isFailed).length,
  warned: rows.filter(row => row.warnings?.length).length,
});

/** How many rows there are, and how many of them failed or were warned about. */
const countText = ({ total, failed, warned }: IndexCounts): string =>
  [
    `${total} ${total === 1 ? 'pair' : 'pairs'}`,
    ...(failed ? [`${failed} failed`] : []),
    ...(warned ? [`${warned} with warnings`] : []),
  ].join(', ');

function captionCell(row: IndexRow): string {
  const direction = rightToLeft(row.caption) ? ' dir="rtl"' : '';
  const caption = escapeText(row.caption);
  const linked = row.href && relative(row.href) ? `<a href="${escapeText(row.href)}">${caption}</a>` : caption;
  const warnings = (row.warnings ?? []).map(w => `<p class="warning small" dir="ltr">${sentence(w)}</p>`).join('');
  return `<td class="caption" data-value="${caption}"${direction}><span title="${caption}">${linked}</span>${warnings}</td>`;
}

function verdictCell({ verdict }: IndexRow): string {
  const failed = verdict.startsWith(FAILED);
  const kind = verdict === 'converged' ? ' converged' : verdict === 'no optimisation' ? '' : ' not-converged';
  const reason = failed ? `<p class="warning small">${sentence(verdict.slice(FAILED.length))}</p>` : '';
  return `<td class="verdict" data-value="${escapeText(verdict)}"><span class="badge${kind}">${failed ? 'failed' : escapeText(verdict)}</span>${reason}</td>`;
}

function rowHtml(row: IndexRow, columns: readonly Column[]): string {
  const picture = row.thumbnail?.startsWith('data:image/') ? `<img alt="" loading="lazy" src="${escapeText(row.thumbnail)}">` : '';
  return `<tr><td class="picture">${picture}</td>${columns.map(column => column.cell(row)).join('')}</tr>`;
}

/** Where a page stands among the pages of a long table. */
export interface IndexLinks {
  /** This page, from 0. */
  readonly page: number;
  /** Addresses of all pages. */
  readonly names: readonly string[];
  /** Rows on the pages before this one, and on all pages. */
  readonly from: number;
  readonly total: number;
}

function linksHtml({ page, names, from, total }: IndexLinks, rows: number): string {
  const link = (p: number, label: string): string => (p < 0 || p >= names.length ? '' : `<a href="${escapeText(names[p])}">${label}</a> `);
  return (
    `<nav class="small" aria-label="Pages"><p>Page ${page + 1} of ${names.length}: pairs ${from + 1} to ${from + rows} of ${total}, fewest shared bits first; ` +
    `sorting and search look at this page, summary.csv has them all. ${link(page === 0 ? -1 : 0, 'First')}${link(page - 1, 'Previous')}${link(page + 1, 'Next')}${link(page === names.length - 1 ? -1 : names.length - 1, 'Last')}</p></nav>`
  );
}

/** What an index page is made with. */
export interface IndexOptions {
  readonly title?: string;
  /** Where it is one of several pages. */
  readonly links?: IndexLinks;
  /** Of all pages; default: of these rows. */
  readonly counts?: IndexCounts;
  /** The thumbnails' common scale; without it, each has its map's. */
  readonly scale?: CommonScale;
  /** Names of further columns, in their order. */
  readonly further?: readonly string[];
}

/** The scale of the thumbnails: a bar that is true for the blend, and what its colours and its end mean. */
function scaleHtml({ scale, maps, beyond }: CommonScale): string {
  const theme = { ...themes.light, ink: 'currentColor', muted: 'currentColor', line: 'currentColor' };
  const map = defaultColourMap(scale.signed);
  const paints = barPaints({ method: 'blended', map, scale, opacity: defaultOpacity.blended });
  const bar = toSvg(colourBar({ left: 8, top: 1, width: 260, height: 14 }, paints, scale, theme, 'scale'), { text: 'live' });
  const what = `${scale.unit === 'score' ? 'score' : scale.unit} per patch`;
  const end = formatValue(scale.high * scale.factor, digitsFor(scale.high * scale.factor));
  const further = beyond > 0 ? ` ${beyond} of ${maps} maps reach further and are drawn as the end.` : '';
  const dim = scale.unit === 'score' ? '' : ' Maps of less than one bit in total stay dim.';
  return (
    `<div class="scale small muted"><svg role="img" aria-label="Colour bar: up to ${end} ${what}" width="290" height="36" viewBox="0 0 290 36">${bar}</svg>` +
    `<p>All pictures share one scale, which ends at ${end} ${what}. ${legendText('blended', map, scale.signed)}${further}${dim}</p></div>`
  );
}

/** The index page as one HTML text. Rows keep their order until a header is pressed. */
export function indexHtml(rows: readonly IndexRow[], options: IndexOptions = {}): string {
  const { title = 'Attributions', counts = countsOf(rows) } = options;
  const columns = columnsOf(rows, options.further ?? [...new Set(rows.flatMap(row => Object.keys(row.further ?? {})))]);
  const heads = columns.map(
    ({ kind, name }) =>
      `<th scope="col" data-kind="${kind}" aria-sort="none"${kind === 'number' ? ' class="number"' : ''}><button type="button">${escapeText(name)}</button></th>`,
  );
  const hasBits = columns.some(({ name }) => name.startsWith('Shared bits'));
  const drawn = rows.some(row => row.thumbnail);
  const scale = options.scale
    ? scaleHtml(options.scale)
    : drawn
      ? '<p class="small muted">Every picture has its own colour scale.</p>'
      : '';
  const body =
    `<header class="top"><div class="title"><h1>${escapeText(title)}</h1><button id="theme" type="button" hidden>Theme: system</button></div><p><b>${countText(counts)}.</b> <span class="muted">${hasBits ? 'Few shared bits with a low cosine' : 'A low cosine'}: image and caption hardly belong together. ` +
    `Press a column’s name to sort.</span></p>${scale}</header>\n<main><div class="controls"><input id="search" type="search" placeholder="Search captions and files" aria-label="Search" hidden>` +
    `<span id="count" class="small muted" role="status"></span></div>${options.links ? linksHtml(options.links, rows.length) : ''}` +
    `<div class="wide" tabindex="0" role="region" aria-label="Pairs"><table class="index"><thead><tr><th><span class="hidden">Picture</span></th>${heads.join('')}</tr></thead><tbody>${rows.map(row => rowHtml(row, columns)).join('\n')}</tbody></table></div></main>\n<p id="live" class="hidden" role="status" aria-live="polite"></p>`;
  return page({ title, style: baseStyle + indexStyle, body, script: themeScript + indexScript, data: {} });
}
