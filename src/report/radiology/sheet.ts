/** @file An audit as one picture: a row per class with a typical finding, its boxes and its maps. */
import { sharp } from '../../node/sharp.ts';
import { PNG } from '../attribution/sharp-codec.ts';
import { element, label, type Node, toSvg } from '../attribution/svg.ts';
import { type Theme, themes } from '../attribution/theme.ts';
import { type DrawnFinding, SHOWN } from './draw.ts';

const PAD = 20;
const GAP = 10;
const TEXT = 190;
const HEAD = 64;

function row(drawn: DrawnFinding, side: number, top: number, theme: Theme): Node[] {
  const { record, width, height, boxes } = drawn;
  const percent = (v: number | undefined): string => (v === undefined ? '—' : `${Math.round(100 * v)} %`);
  const nodes: Node[] = [
    label(record.label, PAD, top + 22, 15, theme.ink, { weight: 'semibold' }),
    label(`inside ${percent(record.inside.phrase)}`, PAD, top + 44, 13, theme.muted),
    label(`boxes take ${percent(record.area)}`, PAD, top + 62, 13, theme.muted),
  ];
  const cell = (href: string | undefined, column: number): void => {
    const x = PAD + TEXT + column * (side + GAP);
    if (!href) {
      nodes.push(label('—', x + side / 2, top + side / 2, 15, theme.muted, { anchor: 'middle' }));
      return;
    }
    nodes.push(element('image', { href, x, y: top, width, height }));
    for (const [left, y, w, h] of boxes)
      nodes.push(element('rect', { x: x + left, y: top + y, width: w, height: h, fill: 'none', stroke: '#37d0ff', 'stroke-width': 1.5 }));
  };
  cell(drawn.picture, 0);
  for (const [i, [variant]] of SHOWN.entries()) cell(drawn.maps[variant], i + 1);
  return nodes;
}

/** PNG bytes. @param side longest side of a picture in CSS pixels */
export async function auditSheet(
  drawn: readonly DrawnFinding[],
  title: string,
  side: number,
  kind: 'light' | 'dark' = 'light',
): Promise<Uint8Array> {
  const theme = themes[kind];
  const width = PAD * 2 + TEXT + (SHOWN.length + 1) * (side + GAP);
  const height = HEAD + drawn.length * (side + GAP) + PAD;
  const heads = ['boxes', ...SHOWN.map(([, name]) => name)].map((name, i) =>
    label(name, PAD + TEXT + i * (side + GAP) + side / 2, HEAD - 10, 13, theme.muted, { anchor: 'middle' }),
  );
  const svg = toSvg(
    element(
      'svg',
      { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}` },
      element('rect', { width, height, fill: theme.paper }),
      label(title, PAD, 30, 17, theme.ink, { weight: 'semibold' }),
      ...heads,
      ...drawn.flatMap((finding, i) => row(finding, side, HEAD + i * (side + GAP), theme)),
    ),
    { text: 'outlines' },
  );
  return sharp(Buffer.from(svg), { density: 144, unlimited: true, limitInputPixels: false })
    .removeAlpha()
    .png({ ...PNG, palette: true, quality: 90 })
    .toBuffer();
}
