/**
 * `narrows compare` on boxes and masks in the forms of public sets, from the file to results.json: phantom chests by the shipped model, every value of
 * localisation against one computed here from the files, the drawn masks and the method's own map.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod } from '../../attribution/registry.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { type Chest, drawChest } from '../../scenes/chest/chest.ts';
import type { ChestRecord } from '../../scenes/chest/record.ts';
import { findingOf } from '../../scenes/chest/registry.ts';
import { writeChests } from '../../scenes/chest/write-chests.ts';
import { RandomStream } from '../../tensor/random.ts';
import { compareCommand } from '../commands/compare.ts';
import { callCommand } from '../testing/call-command.ts';

/** The model sees the middle 96 columns at their own size: column x of its view is column x + 12 of the picture. */
const [WIDTH, HEIGHT, VIEW] = [120, 96, 96];
const LEFT = (WIDTH - VIEW) / 2;
const SEED = 29;
/** With words that the model knows, since classes such as support devices have none. */
const TEMPLATE = 'a chest x-ray with {}';
const METRICS = ['iou-at-threshold', 'pointing-game', 'energy-pointing-game', 'iou'] as const;

const folder = mkdtempSync(join(tmpdir(), 'narrows-forms-'));
let chests: { record: ChestRecord; drawn: Chest }[];
let model: CLIPModel;
beforeAll(async () => {
  await writeChests({ count: 4, seed: SEED, outputDirectory: folder, width: WIDTH, height: HEIGHT, minFindings: 1 });
  const stream = new RandomStream(SEED, 'chests');
  const options = { width: WIDTH, height: HEIGHT, minFindings: 1, maxFindings: 3 };
  const lines = readFileSync(join(folder, 'chests.jsonl'), 'utf8').trim().split('\n');
  chests = lines
    .map(line => JSON.parse(line) as ChestRecord)
    .map(record => ({ record, drawn: drawChest(options, stream.reader(0, record.sample)) }));
  model = await CLIPModel.fromPretrained('chest-clip');
}, 120_000);
afterAll(async () => {
  await model.release();
  rmSync(folder, { recursive: true, force: true });
});

interface Part {
  readonly pairs: readonly {
    readonly id: string;
    readonly caption: string;
    readonly cluster?: string;
    readonly further?: { readonly category?: string };
  }[];
  readonly values: Record<string, Record<string, readonly (readonly (number | null)[])[]>>;
}

/** Runs the command on a file and gives its only part. */
async function compared(file: string): Promise<Part> {
  const output = join(folder, `out-${file}`);
  const called = await callCommand(compareCommand, [
    ...['--data', join(folder, file), '--model', 'chest-clip', '--modality', 'image', '--template', TEMPLATE, '--reference', 'grad-cam'],
    ...['--methods', 'grad-cam', '--metrics', METRICS.join(), '--seeds', '1', '--workers', '0', '--output', output],
  ]);
  expect(called).toMatchObject({ code: 0 });
  const { parts } = JSON.parse(readFileSync(join(output, 'results.json'), 'utf8'));
  expect(parts).toHaveLength(1);
  return parts[0];
}

/** What is right for a pair: its picture, its text, and where it is. */
interface Truth {
  readonly picture: number;
  readonly text: string;
  /** 1 where the finding is, [HEIGHT × WIDTH]. */
  readonly mask: Uint8Array;
}

const boxesMask = (...boxes: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [(i % WIDTH) + 0.5, Math.floor(i / WIDTH) + 0.5];
    return boxes.some(([left, top, width, height]) => x > left && x < left + width && y > top && y < top + height) ? 1 : 0;
  });

/** Truths of a form: one per phrase or class of a picture, by the ids of the comparison. */
function truths(
  idOf: (record: ChestRecord, finding: ChestRecord['findings'][number]) => string | undefined,
  phrases: boolean,
  masks = false,
): Map<string, Truth> {
  const out = new Map<string, Truth>();
  for (const [picture, { record, drawn }] of chests.entries())
    for (const [f, finding] of record.findings.entries()) {
      const id = idOf(record, finding);
      if (id === undefined) continue;
      const mask = masks ? drawn.findings[f].mask : boxesMask(finding.box);
      const before = out.get(id)?.mask;
      const text = phrases ? finding.phrase : TEMPLATE.replace('{}', id.slice(id.indexOf('/') + 1).toLowerCase());
      out.set(id, { picture, text, mask: before ? mask.map((v, i) => v | before[i]) : mask });
    }
  return out;
}

/** The map between its patches' centres, point by point (bilinear, the border kept). */
function enlarged(patches: ArrayLike<number>, side: number): Float64Array {
  const place = (at: number): { low: number; high: number; share: number } => {
    const exact = Math.min(side - 1, Math.max(0, ((at + 0.5) * side) / VIEW - 0.5));
    const low = Math.floor(exact);
    return { low, high: Math.min(side - 1, low + 1), share: exact - low };
  };
  return Float64Array.from({ length: VIEW * VIEW }, (_, i) => {
    const [x, y] = [place(i % VIEW), place(Math.floor(i / VIEW))];
    const row = (at: number): number => patches[at * side + x.low] * (1 - x.share) + patches[at * side + x.high] * x.share;
    return row(y.low) * (1 - y.share) + row(y.high) * y.share;
  });
}

/** The four metrics from their definitions. */
function judged(map: Float64Array, truth: Uint8Array): Record<(typeof METRICS)[number], number> {
  const [low, high] = [Math.min(...map), Math.max(...map)];
  const overlap = (marked: (i: number) => boolean): number => {
    let [both, either] = [0, 0];
    for (const [i, t] of truth.entries()) {
      both += Number(marked(i) && t === 1);
      either += Number(marked(i) || t === 1);
    }
    return both / either;
  };
  const tops = [...map.keys()].filter(i => map[i] >= high - 1e-6 * (high - low));
  const inside = truth.reduce((a, b) => a + b, 0);
  const ranked = [...map.keys()].sort((a, b) => map[b] - map[a]).slice(0, inside);
  const top = new Set(ranked);
  const mass = (over: (i: number) => boolean): number => map.reduce((sum, v, i) => sum + (v > 0 && over(i) ? v : 0), 0);
  return {
    'iou-at-threshold': overlap(i => (map[i] - low) / (high - low) >= 0.5),
    // At the border the map is level, so several points are the highest.
    'pointing-game': tops.filter(i => truth[i] === 1).length / tops.length,
    'energy-pointing-game': mass(i => truth[i] === 1) / mass(() => true),
    iou: overlap(i => top.has(i)),
  };
}

async function check(file: string, expected: ReadonlyMap<string, Truth>): Promise<Part> {
  const part = await compared(file);
  expect(part.pairs.map(p => p.id).sort()).toEqual([...expected.keys()].sort());
  expect(expected.size).toBeGreaterThan(0);
  await using method = createMethod('grad-cam', model);
  for (const [k, { id, caption }] of part.pairs.entries()) {
    const { picture, text, mask } = expected.get(id)!;
    expect(caption).toBe(text);
    const image = await decodeImage(join(folder, chests[picture].record.file_name));
    const { grid, patches, view } = (await method.attribute({ image, text }, { modality: 'image' })).image!;
    expect(view).toMatchObject({ left: LEFT, top: 0, width: VIEW, height: VIEW });
    const seen = Uint8Array.from({ length: VIEW * VIEW }, (_, i) => mask[Math.floor(i / VIEW) * WIDTH + (i % VIEW) + LEFT]);
    const hand = judged(enlarged(patches, grid[1]), seen);
    for (const metric of METRICS) {
      const [value] = part.values[metric]['grad-cam'][k];
      // Points on the threshold fall on either side by rounding: a few of thousands.
      expect(Math.abs(value! - hand[metric]), `${file}, ${id}, ${metric}`).toBeLessThan(metric.startsWith('iou') ? 0.01 : 1e-4);
    }
    // A map that says nothing has the truth's share of the view.
    expect(part.values['energy-pointing-game'].uniform[k][0]).toBeCloseTo(seen.reduce((a, b) => a + b, 0) / seen.length, 6);
  }
  return part;
}
const stem = ({ file_name }: ChestRecord): string => file_name.slice(7, 13);

describe('a whole comparison on the boxes of', () => {
  it('MS-CXR: the phrases of the reports; findings of a picture are one cluster', { timeout: 120_000 }, async () => {
    const part = await check(
      'ms-cxr.json',
      truths((record, f) => `${record.file_name}/${f.phrase}`, true),
    );
    for (const { id, cluster } of part.pairs) expect(id.startsWith(`${cluster}/`)).toBe(true);
    expect(new Set(part.pairs.map(p => p.cluster)).size).toBeLessThan(part.pairs.length);
  });

  it('VinDr-CXR: classes, the boxes of one class as one truth', { timeout: 120_000 }, async () => {
    const label = (name: string): string | undefined => findingOf(name).labels.vindr;
    const part = await check(
      'vindr-cxr.csv',
      truths((record, f) => label(f.name) && `${stem(record)}/${label(f.name)}`, false),
    );
    expect(part.pairs.every(p => p.id.endsWith(`/${p.further?.category}`))).toBe(true);
  });

  it('RSNA: opacities', { timeout: 120_000 }, async () => {
    const expected = truths((record, f) => (findingOf(f.name).labels.rsna ? `${stem(record)}/Lung Opacity` : undefined), false);
    await check('rsna.csv', expected);
  });

  it('CheXlocalize: masks from run lengths', { timeout: 120_000 }, async () => {
    const label = (name: string): string | undefined => findingOf(name).labels.chexlocalize;
    await check(
      'chexlocalize.json',
      truths((record, f) => label(f.name) && `${stem(record)}/${label(f.name)}`, false, true),
    );
  });

  it('several boxes of one phrase', { timeout: 120_000 }, async () => {
    const [a, b] = [
      [20, 10, 30, 25],
      [70, 50, 24, 30],
    ];
    const head = 'dicom_id,category_name,label_text,x,y,w,h';
    const rows = [a, b].map(box => `000000,Lung Opacity,opacity,${box.join()}`);
    writeFileSync(join(folder, 'several.csv'), [head, ...rows, `000000,Nodule,nodule,${a.join()}`, ''].join('\n'));
    const expected = new Map<string, Truth>([
      ['000000/opacity', { picture: 0, text: 'opacity', mask: boxesMask(a, b) }],
      ['000000/nodule', { picture: 0, text: 'nodule', mask: boxesMask(a) }],
    ]);
    await check('several.csv', expected);
  });
});
