/** @file The colour bar: a gradient with ticks and its unit, upright or lying. */
import { hex } from './colour-map.ts';
import { measure } from './glyphs.ts';
import type { Scale } from './normalise.ts';
import type { Triple } from './oklab.ts';
import { heatAlpha, maskAlpha, type OverlayStyle } from './overlay.ts';
import { element, label, type Node } from './svg.ts';
import type { Theme } from './theme.ts';

/** Room that the ticks of an upright bar need to its right, in pixels. */
export const barRoom = (scale: Scale): number =>
  14 + 8 + Math.max(...scale.ticks.map(tick => measure(tick.label, 12.5)), measure(scale.unit, 12.5) - 22);

/** Where the bar stands: its own box, without ticks. */
export interface BarBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Colour at a place of the bar, 0–1. */
export type BarPaint = (position: number) => Triple;

/** What a map may lie on: the bar shows what is blended on dark and on light. */
export const barGrounds: readonly Triple[] = [
  [58, 61, 68],
  [223, 226, 231],
];

/**
 * What the colour bar shows is what the overlay makes of a value: blended and laid on a picture, on dark and on light; a mask as the light that
 * it lets through; lines as they are.
 */
export function barPaints({ method, map, scale, opacity }: OverlayStyle): BarPaint[] {
  const strength = (position: number): number => (scale.signed ? Math.abs(2 * position - 1) : position);
  if (method === 'contour') return [position => map.at(position)];
  if (method === 'masked') {
    return [
      position => {
        const light = 255 * (1 - maskAlpha(strength(position), opacity));
        return [light, light, light];
      },
    ];
  }
  return barGrounds.map(ground => position => {
    const alpha = heatAlpha(method, strength(position), opacity);
    const colour = map.at(position);
    return [0, 1, 2].map(c => ground[c] * (1 - alpha) + colour[c] * alpha) as unknown as Triple;
  });
}

/**
 * Draws the bar; taller than wide means upright, zero (or the least value) at the bottom.
 * @param paints stand side by side, each over the whole scale
 * @param id begins the gradients' names
 */
export function colourBar(box: BarBox, paints: readonly BarPaint[], scale: Scale, theme: Theme, id: string): Node {
  const upright = box.height > box.width;
  const direction = upright ? { x1: 0, y1: 1, x2: 0, y2: 0 } : { x1: 0, y1: 0, x2: 1, y2: 0 };
  const frame = { x: box.left, y: box.top, width: box.width, height: box.height, rx: 3 };
  const nodes: Node[] = paints.flatMap((paint, k) => {
    const stops = Array.from({ length: 33 }, (_, i) => element('stop', { offset: i / 32, 'stop-color': hex(paint(i / 32)) }));
    const part = upright
      ? { x: box.left + (k * box.width) / paints.length, y: box.top, width: box.width / paints.length, height: box.height }
      : { x: box.left, y: box.top + (k * box.height) / paints.length, width: box.width, height: box.height / paints.length };
    const gradient = `${id}-${k}`;
    return [
      element('linearGradient', { id: gradient, ...direction }, ...stops),
      element('rect', { ...part, fill: `url(#${gradient})`, 'clip-path': `url(#${id}-frame)` }),
    ];
  });
  nodes.unshift(element('clipPath', { id: `${id}-frame` }, element('rect', frame)));
  nodes.push(element('rect', { ...frame, fill: 'none', stroke: theme.line, 'stroke-width': 0.7 }));
  let free = Number.NEGATIVE_INFINITY;
  for (const tick of scale.ticks) {
    // Ticks that would touch the one before are left out: a narrow bar has fewer.
    const along = upright ? tick.position * box.height : tick.position * box.width;
    const room = upright ? 16 : measure(tick.label, 12.5) + 10;
    if (along - free < room) continue;
    free = along;
    if (upright) {
      const y = box.top + box.height - along;
      const x = box.left + box.width;
      nodes.push(
        element('line', { x1: x, y1: y, x2: x + 4, y2: y, stroke: theme.muted }),
        label(tick.label, x + 8, y + 4.4, 12.5, theme.ink),
      );
    } else {
      const x = box.left + along;
      const y = box.top + box.height;
      const width = measure(tick.label, 12.5);
      const anchor = tick.position < 0.02 ? 'start' : tick.position > 0.98 ? 'end' : 'middle';
      const inside = anchor === 'middle' && along + width / 2 > box.width ? box.left + box.width - width / 2 : x;
      nodes.push(
        element('line', { x1: x, y1: y, x2: x, y2: y + 4, stroke: theme.muted }),
        label(tick.label, inside, y + 17, 12.5, theme.ink, { anchor }),
      );
    }
  }
  return element('g', {}, ...nodes);
}
