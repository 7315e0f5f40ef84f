/**
 * @file Draws docs/images/shifts.png: every image shift at severities 1, 3 and 5 on one scene of 96 pixels.
 * usage: node --import tsx scripts/shift-sheet.ts [--reference-size 224] [--severities 1,3,5] [--output FILE]
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp, { type OverlayOptions } from 'sharp';
import { writeFileAtomic } from '../src/node/files.ts';
import { element, label, type Node, toSvg } from '../src/report/attribution/svg.ts';
import { drawScene } from '../src/scenes/scene.ts';
import { loadSprites } from '../src/scenes/sprites.ts';
import { shiftImage } from '../src/shifts/apply.ts';
import { imageShifts } from '../src/shifts/registry.ts';
import { RandomStream } from '../src/tensor/random.ts';

const { values } = parseArgs({
  options: { 'reference-size': { type: 'string' }, severities: { type: 'string', default: '1,3,5' }, output: { type: 'string' } },
});
const referenceSize = values['reference-size'] ? Number(values['reference-size']) : undefined;
const severities = values.severities.split(',').map(Number);
const output = values.output ?? join(dirname(fileURLToPath(import.meta.url)), '../docs/images/shifts.png');

const SIDE = 96;
const LABEL = 20;
const GAP = 12;
const ACROSS = 3;
const blockWidth = severities.length * (SIDE + 2) + GAP;
const blockHeight = SIDE + LABEL + GAP;

const { image: scene } = drawScene(await loadSprites(), { minObjects: 3, maxObjects: 3 }, new RandomStream(12, 'sheet').reader(0, 0));
const names = ['clean', ...imageShifts.map(s => s.name)];
const layers: OverlayOptions[] = [];
const labels: Node[] = [];
for (const [i, name] of names.entries()) {
  const left = GAP + (i % ACROSS) * blockWidth;
  const top = GAP + Math.floor(i / ACROSS) * blockHeight;
  labels.push(label(name, left, top + 14, 13, '#222'));
  for (const [column, severity] of (name === 'clean' ? [0] : severities).entries()) {
    const { data } = name === 'clean' ? scene : await shiftImage(name, scene, severity, { referenceSize });
    layers.push({
      input: Buffer.from(data),
      raw: { width: SIDE, height: SIDE, channels: 3 },
      left: left + column * (SIDE + 2),
      top: top + LABEL,
    });
  }
}
const width = GAP + ACROSS * blockWidth;
const height = GAP + Math.ceil(names.length / ACROSS) * blockHeight;
const paper = element('rect', { width, height, fill: '#fff' });
const svg = toSvg(element('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height }, paper, ...labels), { text: 'outlines' });
await writeFileAtomic(
  output,
  await sharp(Buffer.from(svg)).composite(layers).removeAlpha().png({ palette: true, colours: 256, effort: 10 }).toBuffer(),
);
