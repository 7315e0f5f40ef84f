/** @file The colour bar: a gradient with ticks and its unit, upright or lying. */
import { type ColourMap, hex } from './colour-map.ts';
import { measure } from './glyphs.ts';
import type { Scale } from './normalise.ts';
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

/** Draws the bar; taller than wide means upright, zero (or the least value) at the bottom. `id` names the gradient. */
export function colourBar(box: BarBox, map: Pick<ColourMap, 'at'>, scale: Scale, theme: Theme, id: string): Node {
  const upright = box.height > box.width;
  const stops = Array.from({ length: 33 }, (_, i) => element('stop', { offset: i / 32, 'stop-color': hex(map.at(i / 32)) }));
  const direction = upright ? { x1: 0, y1: 1, x2: 0, y2: 0 } : { x1: 0, y1: 0, x2: 1, y2: 0 };
  const nodes: Node[] = [
    element('linearGradient', { id, ...direction }, ...stops),
    element('rect', {
      x: box.left,
      y: box.top,
      width: box.width,
      height: box.height,
      rx: 3,
      fill: `url(#${id})`,
      stroke: theme.line,
      'stroke-width': 0.7,
    }),
  ];
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
