/** @file One image panel of a figure: the embedded pixels, the frame of the model's view, patch lines, contour lines. */

import type { Attribution, ImageAttribution } from '../../attribution/result.ts';
import type { Rectangle, RgbImage } from '../../inputs/image/rgb-image.ts';
import { inkOn } from './caption.ts';
import { hex } from './colour-map.ts';
import { contourLines } from './contour.ts';
import type { FigureStyle } from './figure-options.ts';
import { positionOf } from './normalise.ts';
import { greyed, heatField, overlayLayer, viewBox } from './overlay.ts';
import { dataUri, type PictureCodec, resizeForDisplay } from './picture.ts';
import { type Element, element, type Node, round } from './svg.ts';

/** Data URIs of the panels: bottom picture and layers above it. */
export interface PanelImages {
  readonly original: readonly string[];
  readonly heat: readonly string[];
}

/** How the pixels of panels are encoded. */
export interface PanelEncoding {
  readonly codec: PictureCodec;
  /** Device pixels per CSS pixel. */
  readonly density: number;
  /** For rendering at once, not for a file. */
  readonly fast: boolean;
}

/** Encodes the pixels of the panels for `size` CSS pixels. */
export async function panelImages(
  result: Attribution,
  image: RgbImage,
  style: FigureStyle,
  size: { width: number; height: number },
  { codec, density, fast }: PanelEncoding,
): Promise<PanelImages> {
  const [width, height] = [Math.max(1, Math.round(size.width * density)), Math.max(1, Math.round(size.height * density))];
  const shown = await resizeForDisplay(codec, image, width, height, 2.5 * density);
  const original = await dataUri(codec, shown, fast ? 'fast' : 'photo');
  if (!result.image || !style.imageScale) return { original: [original], heat: [] };
  const { imageMap: map, method, opacity, imageScale: scale } = style;
  const layer = await dataUri(
    codec,
    overlayLayer(result.image, image, width, height, { method, map, scale, opacity }),
    fast ? 'fast' : 'exact',
  );
  const base = greyBase(style) ? await dataUri(codec, greyed(shown), fast ? 'fast' : 'photo') : original;
  return { original: [original], heat: [base, layer] };
}

/** True when the map lies on a grey version of the image. */
export const greyBase = (style: FigureStyle): boolean =>
  style.method === 'heat' || (style.method === 'blended' && style.imageScale?.signed === true);

/** Draws a panel. `heat` adds what belongs to the map: the frame of the view, patch lines, contours. */
export function picturePanel(
  box: Rectangle,
  uris: readonly string[],
  result: Attribution,
  original: RgbImage,
  style: FigureStyle,
  heat: boolean,
): Node {
  const id = heat ? 'heat-panel' : 'image-panel';
  const frame = { x: box.left, y: box.top, width: box.width, height: box.height, rx: Math.min(6, box.height / 4) };
  const images = uris.map(uri =>
    element('image', { x: box.left, y: box.top, width: box.width, height: box.height, preserveAspectRatio: 'none', 'xlink:href': uri }),
  );
  const inside: Node[] = [...images];
  if (heat && result.image) {
    const view = viewBox(result.image, original, box.width, box.height);
    const placed = { ...view, left: box.left + view.left, top: box.top + view.top };
    if (style.method === 'contour') inside.push(...contours(result.image, placed, style));
    if (style.grid) inside.push(gridLines(result.image, placed));
    const whole = view.width >= box.width - 1 && view.height >= box.height - 1;
    const rect = { x: placed.left, y: placed.top, width: placed.width, height: placed.height, fill: 'none' };
    if (!whole) inside.push(element('rect', { ...rect, stroke: '#ffffff', 'stroke-opacity': 0.85, 'stroke-width': 1 }));
  }
  return element('g', {}, element('clipPath', { id }, element('rect', frame)), element('g', { 'clip-path': `url(#${id})` }, ...inside));
}

/** Lines between patches: white with a dark shadow, so that they show on any image. */
export function gridLines(image: ImageAttribution, view: Rectangle): Element {
  const [rows, columns] = image.grid;
  let path = '';
  for (let r = 1; r < rows; r++) path += `M${round(view.left)} ${round(view.top + (view.height * r) / rows)}h${round(view.width)}`;
  for (let c = 1; c < columns; c++) path += `M${round(view.left + (view.width * c) / columns)} ${round(view.top)}v${round(view.height)}`;
  return element(
    'g',
    { fill: 'none' },
    element('path', { d: path, stroke: '#000000', 'stroke-opacity': 0.28, 'stroke-width': 1.6 }),
    element('path', { d: path, stroke: '#ffffff', 'stroke-opacity': 0.5, 'stroke-width': 0.7 }),
  );
}

/** Lines at 15, 35, 55, 75 and 92 % of the scale (of each side, when signed), in the map's colours on a dark casing. */
export function contours(image: ImageAttribution, view: Rectangle, style: FigureStyle): Element[] {
  const scale = style.imageScale;
  if (!scale || !(scale.high > scale.low)) return [];
  const step = Math.max(1, Math.ceil(Math.max(view.width, view.height) / 220));
  const size = [Math.max(2, Math.round(view.height / step)), Math.max(2, Math.round(view.width / step))] as const;
  const field = heatField(image, size[0], size[1]);
  const [sx, sy] = [view.width / size[1], view.height / size[0]];
  const shares = [0.15, 0.35, 0.55, 0.75, 0.92];
  const levels = scale.signed
    ? [...shares.map(s => -s * scale.high).reverse(), ...shares.map(s => s * scale.high)]
    : shares.map(s => scale.low + s * (scale.high - scale.low));
  const nodes: Element[] = [];
  for (const level of levels) {
    const path = contourLines(field, size, level)
      .map(line => `M${line.map(([x, y]) => `${round(view.left + (x + 0.5) * sx)} ${round(view.top + (y + 0.5) * sy)}`).join('L')}`)
      .join('');
    if (!path) continue;
    const colour = style.imageMap.at(positionOf(scale, level));
    const line = { d: path, fill: 'none', 'stroke-linejoin': 'round', 'stroke-linecap': 'round' };
    nodes.push(
      element('path', { ...line, stroke: inkOn(colour), 'stroke-opacity': 0.6, 'stroke-width': 4 }),
      element('path', { ...line, stroke: hex(colour), 'stroke-width': 2.2 }),
    );
  }
  return nodes;
}
