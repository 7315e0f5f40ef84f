/** @file A result as one figure: original, heat with colour bar, caption strip. SVG is the source of every figure. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { answerText } from './answer.ts';
import { drawStrip, layoutStrip, type Strip } from './caption.ts';
import { barPaints, barRoom, colourBar } from './colour-bar.ts';
import { explainedTexts, type FigureOptions, type FigureStyle, figureStyle, natsHeading, textWord } from './figure-options.ts';
import { measure, wrap } from './glyphs.ts';
import { drawWordPanels, type WordPanel, wordPanelSize, wordPanels } from './interactions.ts';
import { digitsFor, formatValue } from './normalise.ts';
import { finestMap } from './overlay.ts';
import { type PanelImages, panelImages, picturePanel } from './panel.ts';
import type { PictureCodec } from './picture.ts';
import { element, label, type Node, type SvgText, toSvg } from './svg.ts';
import { settledNote, VERDICT_TEXT, verdictOf } from './verdict.ts';

const PAD = 28;
const GAP = 24;
const HEADING = 24;
/** Two spaces each side of a dot, half of them no-break ones: SVG viewers fold plain spaces into one. */
const SEPARATOR = '\u00a0 · \u00a0';

/** Where the panels stand. Heights of image panels follow from the image's shape. */
interface Layout {
  readonly kind: 'row' | 'below' | 'stack';
  readonly image: { readonly width: number; readonly height: number };
  readonly strip?: { readonly strip: Strip; readonly width: number };
}

/** Largest height of an image panel. */
const maximumHeight = (style: FigureStyle, kind: Layout['kind']): number =>
  kind === 'stack' ? Math.min(620, style.width * 1.2) : Math.min(620, style.width * 0.52);

function arrange(result: Attribution, image: RgbImage, style: FigureStyle, kind: Layout['kind']): Layout {
  const inner = style.width - 2 * PAD;
  const pictures = (style.original || !result.image ? 1 : 0) + (result.image ? 1 : 0);
  const bar = style.imageScale && kind !== 'stack' ? barRoom(style.imageScale) + 12 : 0;
  const besides = kind === 'row' && result.text ? Math.max(220, inner * 0.29) + GAP : 0;
  const room = kind === 'stack' ? inner : (inner - besides - bar - GAP * (pictures - 1)) / pictures;
  const height = Math.max(2, Math.min(maximumHeight(style, kind), (room * image.height) / image.width));
  const width = Math.max(2, Math.min(room, (height * image.width) / image.height));
  const size = { width: Math.round(width), height: Math.round(height) };
  if (!result.text || !style.wordScale) return { kind, image: size };
  const stripWidth = kind === 'row' ? inner - (size.width + GAP) * pictures - bar : inner;
  const words = result.text.words;
  // The largest type that fits next to the image; under it, a size that keeps long captions compact.
  const wanted = kind === 'row' ? [30, 27, 24, 22, 20, 18, 16, 14, 13] : words.length > 40 ? [16] : words.length > 15 ? [18] : [21];
  const scale = style.wordScale;
  const lay = (type: number) => layoutStrip(words, result.caption, scale, stripWidth, type, style.wordValues);
  const strip = wanted.map(lay).find(candidate => kind !== 'row' || candidate.height <= size.height) ?? lay(wanted.at(-1) as number);
  return { kind, image: size, strip: { strip, width: stripWidth } };
}

function choose(result: Attribution, image: RgbImage, style: FigureStyle): Layout {
  if (style.layout !== 'auto') return arrange(result, image, style, style.layout);
  if (image.width / image.height > 2.4 || style.width < 620) return arrange(result, image, style, 'stack');
  const row = arrange(result, image, style, 'row');
  return row.strip && (row.strip.strip.height > row.image.height || style.width < 860) ? arrange(result, image, style, 'below') : row;
}

/** Facts of the second line: what one wants to know about a map at first sight. */
function facts(result: Attribution): string {
  const seed = result.parameters.seed;
  const seeds = result.image?.stability ?? result.text?.stability;
  const parts = result.cosine === undefined ? [] : [`cosine ${formatValue(result.cosine, 3)}`];
  if (result.unit === 'nats' && result.image)
    parts.push(
      `image ${formatValue(result.image.totalBits ?? 0, digitsFor(result.image.totalBits ?? 0))} bits${settledNote(result.image)}`,
    );
  if (result.unit === 'nats' && result.text)
    parts.push(
      `${textWord(result)} ${formatValue(result.text.totalBits ?? 0, digitsFor(result.text.totalBits ?? 0))} bits${settledNote(result.text)}`,
    );
  if (result.answer) parts.unshift(`answer ${answerText(result.answer)}`);
  if (seeds) parts.push(`${seeds.seeds.length} seeds, rank stability ${formatValue(seeds.rankStability, 2)}`);
  else if (typeof seed === 'number') parts.push(`seed ${seed}`);
  return parts.join(SEPARATOR);
}

function header(result: Attribution, style: FigureStyle): { nodes: Node[]; bottom: number } {
  const { theme, width } = style;
  const nodes: Node[] = [];
  const verdict = verdictOf(result);
  const badge = verdict === 'not-converged' || verdict === 'unsettled' ? VERDICT_TEXT[verdict] : '';
  const badgeWidth = badge ? measure(badge, 13, 'semibold') + 20 : 0;
  if (badge) {
    nodes.push(
      element('rect', { x: width - PAD - badgeWidth, y: PAD - 3, width: badgeWidth, height: 26, rx: 13, fill: theme.warningPaper }),
      label(badge, width - PAD - badgeWidth / 2, PAD + 14.5, 13, theme.warning, { anchor: 'middle', weight: 'semibold' }),
    );
  }
  let y = PAD - 6;
  for (const line of wrap(style.title, width - 2 * PAD - badgeWidth - 12, 21, 'semibold')) {
    y += 25;
    nodes.push(label(line, PAD, y, 21, theme.ink, { weight: 'semibold' }));
  }
  const explained = explainedTexts(result).join(SEPARATOR);
  const shown = [
    facts(result),
    ...(result.text && !result.answer ? [] : [`${result.answer ? 'question ' : ''}“${result.caption}”`]),
    ...(explained ? [explained] : []),
  ];
  y += 1;
  for (const fact of shown) {
    for (const line of wrapFacts(fact, width - 2 * PAD)) {
      y += 20;
      nodes.push(label(line, PAD, y, 13.5, theme.muted));
    }
  }
  for (const warning of result.warnings ?? []) {
    y += 4;
    for (const line of wrap(`Warning: ${warning}`, width - 2 * PAD, 13)) {
      y += 18;
      nodes.push(label(line, PAD, y, 13, theme.warning));
    }
  }
  return { nodes, bottom: y + 20 };
}

/** Wraps at the dots where it can. */
function wrapFacts(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(SEPARATOR)) {
    const joined = lines.length > 0 ? `${lines.at(-1)}${SEPARATOR}${part}` : part;
    if (lines.length > 0 && measure(joined, 13.5) <= width) lines[lines.length - 1] = joined;
    else lines.push(...wrap(part, width, 13.5));
  }
  return lines;
}

/** Builds the figure from images already encoded. */
export function buildFigure(
  result: Attribution,
  image: RgbImage,
  style: FigureStyle,
  layout: Layout,
  images: PanelImages,
  together: readonly WordPanel[] = [],
): Node {
  const { theme, width } = style;
  const { nodes, bottom } = header(result, style);
  const perWhat = (what: string) =>
    result.unit === 'nats' ? `${style.imageScale?.unit ?? style.wordScale?.unit} per ${what}` : `score per ${what}`;
  const heading = (text: string, x: number, y: number, note = '', right = 0): void => {
    nodes.push(label(text, x, y + 11, 14, theme.ink, { weight: 'semibold' }));
    const room = right - x - measure(text, 14, 'semibold') - 12;
    if (note && measure(note, 12.5) <= room) nodes.push(label(note, right, y + 11, 12.5, theme.muted, { anchor: 'end' }));
  };
  const needed = result.unit === 'nats';
  let [x, y] = [PAD, bottom];
  const { width: w, height: h } = layout.image;
  const stacked = layout.kind === 'stack';
  const advance = (): void => {
    if (stacked) y += HEADING + h + GAP;
    else x += w + GAP;
  };
  if (style.original || !result.image) {
    heading('Image', x, y);
    nodes.push(picturePanel({ left: x, top: y + HEADING, width: w, height: h }, images.original, result, image, style, false));
    advance();
  }
  let end = y + HEADING + h;
  if (result.image && style.imageScale) {
    const { of } = finestMap(result.image);
    heading(
      needed ? natsHeading(result, 'image') : of === 'pixel' ? 'Scores of the pixels' : 'Scores of the patches',
      x,
      y,
      perWhat(of),
      x + w,
    );
    const box = { left: x, top: y + HEADING, width: w, height: h };
    nodes.push(picturePanel(box, images.heat, result, image, style, true));
    if (stacked) {
      nodes.push(
        colourBar(
          { left: x, top: y + HEADING + h + 12, width: Math.min(w, 420), height: 12 },
          barPaints({ ...style, map: style.imageMap, scale: style.imageScale }),
          style.imageScale,
          theme,
          'bar',
        ),
      );
      y += HEADING + h + 12 + 12 + 20 + GAP;
      end = y - GAP;
    } else {
      nodes.push(
        colourBar(
          { left: x + w + 12, top: box.top, width: 14, height: h },
          barPaints({ ...style, map: style.imageMap, scale: style.imageScale }),
          style.imageScale,
          theme,
          'bar',
        ),
      );
      x += w + 12 + barRoom(style.imageScale) + GAP;
    }
  } else if (stacked) end = y - GAP;
  if (layout.strip && style.wordScale) {
    const { strip, width: stripWidth } = layout.strip;
    const below = layout.kind !== 'row';
    if (below) [x, y] = [PAD, stacked ? y : end + GAP];
    heading(needed ? natsHeading(result, 'text') : 'Scores of the words', x, y, perWhat('word'), x + stripWidth);
    // A card as tall as the image looks calm next to it, unless a few words would be lost in it.
    const height = below || strip.height < 0.45 * h ? strip.height : Math.max(h, strip.height);
    nodes.push(drawStrip(strip, { left: x, top: y + HEADING, width: stripWidth, height }, style.map, style.wordScale, style.wordValues));
    end = Math.max(end, y + HEADING + height);
  }
  if (together.length > 0) {
    const size = wordPanelSize(width - 2 * PAD, together.length, image);
    const what = result.answer
      ? 'The most telling words of the answer, each with its own map'
      : 'What each word brings together with each patch';
    heading(what, PAD, end + GAP, 'one scale for all words', width - PAD);
    nodes.push(...drawWordPanels(together, { left: PAD, top: end + GAP + HEADING }, size, style));
    end += GAP + HEADING + size.height + 24;
  }
  const height = Math.ceil(end + PAD);
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const namespaces = { xmlns: 'http://www.w3.org/2000/svg', 'xmlns:xlink': 'http://www.w3.org/1999/xlink' };
  return element(
    'svg',
    { ...namespaces, ...size, role: 'img' },
    element('title', {}, `${style.title}: “${result.caption}”`),
    element('desc', {}, facts(result)),
    element('rect', { width, height, fill: theme.paper }),
    ...nodes,
  );
}

/**
 * The figure of a result as SVG text, images embedded.
 * @param image the original picture, as decoded (`result.image.view` is in its pixels).
 * @param density device pixels per CSS pixel of the embedded images.
 * @param writing for `figurePng`: how labels are written; the images are then packed in haste.
 * @throws NarrowsError for options out of range, or values that are not finite.
 */
export async function figureSvgWith(
  codec: PictureCodec,
  result: Attribution,
  image: RgbImage,
  options: FigureOptions = {},
  density = 2,
  writing?: SvgText,
): Promise<string> {
  const style = figureStyle(result, options, image);
  const layout = choose(result, image, style);
  const encoding = { codec, density, fast: writing !== undefined };
  const images = await panelImages(result, image, style, layout.image, encoding);
  const together = await wordPanels(result, image, style, style.width - 2 * PAD, encoding);
  const text = writing ?? { text: options.outlines ? 'outlines' : 'live' };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${toSvg(buildFigure(result, image, style, layout, images, together), text)}\n`;
}
