/** @file The index page of a bulk run: a sortable table of pairs with thumbnails, each linking to its own report. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { colourMap } from './colour-map.ts';
import { notConverged } from './figure.ts';
import { rightToLeft } from './glyphs.ts';
import { indexScript } from './html/index-script.ts';
import { page } from './html/page.ts';
import { baseStyle, indexStyle } from './html/style.ts';
import { themeScript } from './html/theme-script.ts';
import { digitsFor, displayScale, formatValue } from './normalise.ts';
import { composite, defaultOpacity, overlayLayer } from './overlay.ts';
import { dataUri, type PictureCodec, resizeForDisplay } from './picture.ts';
import { escapeText } from './svg.ts';

/** One pair of a bulk run. */
export interface IndexRow {
  /** Address of its report, relative to the index page; undefined when there is none. */
  readonly href?: string;
  /** `data:` URI of a small picture. */
  readonly thumbnail?: string;
  readonly image: string;
  readonly caption: string;
  readonly cosine: number;
  /** Total bits that the image, and the caption, share with the other side. */
  readonly imageBits?: number;
  readonly captionBits?: number;
  /** A word about it: `converged`, `not converged`, `no optimisation`, or why it failed. */
  readonly verdict: string;
  /** What was assumed, passed over or cut on the way to the result. */
  readonly warnings?: readonly string[];
}

/** A thumbnail of the heat on the image, `height` pixels high, as a `data:` URI; without an image map, of the image. */
export async function thumbnailWith(codec: PictureCodec, result: Attribution, image: RgbImage, height = 144): Promise<string> {
  const width = Math.max(1, Math.min(4 * height, Math.round((image.width / image.height) * height)));
  const high = Math.max(1, Math.round((width * image.height) / image.width));
  const small = await resizeForDisplay(codec, image, width, high);
  if (!result.image) return dataUri(codec, small, 'photo');
  const scale = displayScale(result.image.patches, result.unit);
  const map = colourMap(scale.signed ? 'narrows-signed' : 'narrows-heat');
  const layer = overlayLayer(result.image, image, width, high, { method: 'blended', map, scale, opacity: defaultOpacity.blended });
  return dataUri(codec, composite(small, layer), 'photo');
}

/** The row of a result. */
export async function indexRowWith(codec: PictureCodec, result: Attribution, image: RgbImage, href?: string): Promise<IndexRow> {
  const optimised = [result.image, result.text].some(part => part?.convergence.verdict === 'converged');
  return {
    href,
    thumbnail: await thumbnailWith(codec, result, image),
    image: result.provenance.image.name,
    caption: result.caption,
    cosine: result.cosine ?? Number.NaN,
    imageBits: result.unit === 'nats' ? result.image?.totalBits : undefined,
    captionBits: result.unit === 'nats' ? result.text?.totalBits : undefined,
    warnings: result.warnings,
    verdict: notConverged(result) ? 'not converged' : optimised ? 'converged' : 'no optimisation',
  };
}

const columns = [
  ['text', 'Caption'],
  ['text', 'Image'],
  ['number', 'Cosine'],
  ['number', 'Shared bits, image'],
  ['number', 'Shared bits, caption'],
  ['text', 'Verdict'],
] as const;

/** Only addresses that stay in the page's folder: a row must not smuggle in a script or another host. */
const relative = (href: string): boolean => !/^\s*(?:[a-z][a-z0-9+.-]*:|\/\/|\\)/i.test(href);

const isFailed = (row: IndexRow): boolean => row.verdict.startsWith('failed: ');

/** How many rows there are, and how many of them failed or were warned about. */
function countText(rows: readonly IndexRow[]): string {
  const [failed, warned] = [rows.filter(isFailed).length, rows.filter(row => row.warnings?.length).length];
  return [
    `${rows.length} ${rows.length === 1 ? 'pair' : 'pairs'}`,
    ...(failed ? [`${failed} failed`] : []),
    ...(warned ? [`${warned} with warnings`] : []),
  ].join(', ');
}

function rowHtml(row: IndexRow, hasBits: boolean): string {
  const direction = rightToLeft(row.caption) ? ' dir="rtl"' : '';
  const caption = escapeText(row.caption);
  const linked = row.href && relative(row.href) ? `<a href="${escapeText(row.href)}">${caption}</a>` : caption;
  const number = (value: number | undefined, digits: number) =>
    value === undefined || !Number.isFinite(value)
      ? '<td class="number" data-value="">–</td>'
      : `<td class="number" data-value="${value}">${formatValue(value, digits)}</td>`;
  const bits = (value: number | undefined) => number(value, value === undefined ? 0 : digitsFor(value));
  const kind = row.verdict === 'converged' ? ' converged' : row.verdict === 'no optimisation' ? '' : ' not-converged';
  const failed = isFailed(row);
  const picture = row.thumbnail?.startsWith('data:image/') ? `<img alt="" loading="lazy" src="${escapeText(row.thumbnail)}">` : '';
  const warnings = (row.warnings ?? []).map(w => `<p class="warning small">${escapeText(w)}</p>`).join('');
  return (
    `<tr><td>${picture}</td><td class="caption" data-value="${caption}"${direction}><span title="${caption}">${linked}</span>${warnings}</td><td class="file" data-value="${escapeText(row.image)}">${escapeText(row.image)}</td>` +
    `${number(row.cosine, 3)}${hasBits ? bits(row.imageBits) + bits(row.captionBits) : ''}` +
    `<td data-value="${escapeText(row.verdict)}"><span class="badge${kind}">${failed ? 'failed' : escapeText(row.verdict)}</span>${failed ? `<p class="warning small">${escapeText(row.verdict.replace(/^failed: /, ''))}</p>` : ''}</td></tr>`
  );
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

/** The index page as one HTML text. Rows keep their order until a header is pressed. @param options `links` where it is one of several pages */
export function indexHtml(rows: readonly IndexRow[], options: { readonly title?: string; readonly links?: IndexLinks } = {}): string {
  const title = options.title ?? 'Attributions';
  // Columns follow the method: scores have no bits.
  const hasBits = rows.some(row => row.imageBits !== undefined || row.captionBits !== undefined) || rows.every(isFailed);
  const heads = columns
    .filter(([, name]) => hasBits || !name.startsWith('Shared bits'))
    .map(
      ([kind, name]) =>
        `<th scope="col" data-kind="${kind}" aria-sort="none"${kind === 'number' ? ' class="number"' : ''}><button type="button">${name}</button></th>`,
    );
  const body =
    `<header class="top"><div class="title"><h1>${escapeText(title)}</h1><button id="theme" type="button" hidden>Theme: system</button></div><p class="muted">${hasBits ? 'Few shared bits with a low cosine' : 'A low cosine'}: image and caption hardly belong together. ` +
    `Press a column's name to sort.</p></header>\n<main><div class="controls"><input id="search" type="search" placeholder="Search captions and files" aria-label="Search" hidden>` +
    `<span id="count" class="small muted" role="status">${countText(rows)}</span></div>${options.links ? linksHtml(options.links, rows.length) : ''}` +
    `<div class="wide"><table class="index"><thead><tr><th><span class="hidden">Picture</span></th>${heads.join('')}</tr></thead><tbody>${rows.map(row => rowHtml(row, hasBits)).join('\n')}</tbody></table></div></main>` +
    `\n<p id="live" class="hidden" role="status" aria-live="polite"></p>`;
  return page({ title, style: baseStyle + indexStyle, body, script: themeScript + indexScript, data: {} });
}
