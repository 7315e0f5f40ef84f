/** @file A made-up comparison of every method in the registry, for tests and for looking at the report. The numbers mean nothing. */

import type { MethodEntry } from '../../../attribution/method.ts';
import { pairMethods } from '../../../attribution/registry.ts';
import type { ComparisonResults, ResultCase, ResultMetric, ResultPart } from '../../../evaluation/compare/results.ts';
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';
import { RandomStream } from '../../../tensor/random.ts';

/** Metrics of every category and direction. */
export const exampleMetrics: readonly ResultMetric[] = (
  [
    [
      'cosine-drop',
      'Cosine drop ×100',
      'paper',
      'lower',
      'cosine ×100',
      'How far the similarity falls when only what the map keeps is shown; small is good.',
    ],
    ['cosine-increase', 'Cosine increase', 'paper', 'higher', 'share', 'How often the kept part matches better than the whole picture.'],
    [
      'insertion',
      'Insertion',
      'faithfulness',
      'higher',
      'cosine',
      'Area under the similarity as the best patches come in; a faithful map rises at once.',
    ],
    [
      'deletion',
      'Deletion',
      'faithfulness',
      'lower',
      'cosine',
      'Area under the similarity as the best patches go; a faithful map falls at once.',
    ],
    ['aid', 'AID', 'faithfulness', 'higher', 'share', 'Area between the two curves: how much the order of the patches matters.'],
    [
      'sensitivity-n',
      'Sensitivity-n',
      'faithfulness',
      'higher',
      'correlation',
      'Whether sums of the map follow what removing those patches does.',
    ],
    ['infidelity', 'Infidelity', 'faithfulness', 'lower', 'cosine²', 'Mean squared error of the map as a forecast of perturbations.'],
    ['pointing', 'Pointing game', 'localisation', 'higher', 'share', 'How often the highest patch lies on the named thing.'],
    ['energy', 'Energy pointing game', 'localisation', 'higher', 'share', 'Share of the map that lies on the named thing.'],
    ['iou-otsu', 'IoU, Otsu', 'localisation', 'higher', 'share', 'Overlap of the thresholded map with the named thing.'],
    [
      'pixel-auc',
      'Pixel AUC',
      'localisation',
      'higher',
      'share',
      'Chance that a pixel of the thing ranks above one outside; ½ is guessing.',
    ],
    ['max-sensitivity', 'Max-sensitivity', 'robustness', 'lower', 'ratio', 'Largest relative change of the map under small noise.'],
    [
      'cascade',
      'Parameter randomisation',
      'randomisation',
      'lower',
      'correlation',
      'Likeness of the maps of a trained and a randomised model; high means that the map ignores the model.',
    ],
    ['entropy', 'Entropy', 'complexity', 'none', 'nats', 'How spread out the map is; neither end is good in itself.'],
    ['seconds', 'Seconds per map', 'cost', 'lower', 's', 'Wall-clock time for one map beyond encoding the pair.'],
  ] as const
).map(([name, title, category, direction, unit, reading]) => ({ name, title, category, direction, unit, reading }));

const random = new RandomStream(11, 'example results');
const scale: Record<string, [base: number, gain: number, noise: number]> = {
  'cosine-drop': [9, -6, 2],
  'cosine-increase': [0.2, 0.3, 0.4],
  insertion: [0.16, 0.09, 0.03],
  deletion: [0.2, -0.08, 0.03],
  infidelity: [0.004, -0.003, 0.002],
  'max-sensitivity': [0.6, -0.3, 0.2],
  entropy: [3, -1, 0.3],
};
const words = ['a', 'red', 'fox', 'beside', 'a', 'lighthouse'];

/** Options of `exampleResults`. */
export interface ExampleOptions {
  readonly pairs?: number;
  readonly seeds?: number;
  readonly gallery?: boolean;
  /** Methods of each family; all by default. M2IB is always there. */
  readonly perFamily?: number;
  /** In titles and captions. */
  readonly text?: string;
}

/** The comparison: three parts (two styles of images, captions). */
export async function exampleResults({
  pairs = 60,
  seeds = 3,
  gallery = true,
  perFamily = 99,
  text = '',
}: ExampleOptions = {}): Promise<ComparisonResults> {
  const registered = pairMethods();
  const methods = registered.filter(
    (m, i) => m.name === 'm2ib' || registered.slice(0, i).filter(other => other.family === m.family).length < perFamily,
  );
  const parts: ResultPart[] = [];
  for (const [p, [group, modality]] of (
    [
      ['flat icons (trained)', 'image'],
      ['line drawings (unseen)', 'image'],
      ['flat icons (trained)', 'text'],
    ] as const
  ).entries())
    parts.push(await examplePart(methods, { group, modality, p }, { pairs, seeds, gallery, text }));
  return {
    schemaVersion: 2,
    model: { name: `scene-clip${text}`, sha256: 'ab'.repeat(32) },
    data: { name: 'scenes', samples: 3 * pairs, style: 'flat, line' },
    seeds: Array.from({ length: seeds }, (_, i) => i),
    reference: 'm2ib',
    methods: methods.map(m => ({ name: m.name, title: m.title + text, family: m.family, options: {} })),
    metrics: exampleMetrics.map(m => ({ ...m, title: m.title + text, reading: m.reading + text })),
    parts,
    provenance: {
      narrows: '0.1.0',
      runtime: 'onnxruntime-node 1.30.0',
      createdAt: '2026-01-01T00:00:00Z',
      command: 'narrows compare --methods all',
    },
  };
}

async function examplePart(
  methods: readonly MethodEntry[],
  { group, modality, p }: { readonly group: string; readonly modality: 'image' | 'text'; readonly p: number },
  { pairs, seeds, gallery: withGallery, text }: Required<Omit<ExampleOptions, 'perFamily'>>,
): Promise<ResultPart> {
  const here = methods.filter(m => m.modalities.includes(modality));
  const noise = random.reader(p, 0);
  const skill = new Map(here.map(m => [m.name, m.family === 'control' ? 0.1 * noise.uniform() : 0.25 + 0.65 * noise.uniform()]));
  const values: Record<string, Record<string, number[][]>> = {};
  for (const metric of exampleMetrics) {
    if (metric.name === 'seconds' && modality === 'text') continue;
    if (modality === 'text' && metric.category === 'paper') continue;
    const [base, gain, spread] = scale[metric.name] ?? [0.3, 0.45, 0.25];
    const hard = Array.from({ length: pairs }, () => noise.normal() * spread);
    values[metric.name] = {};
    for (const m of here) {
      const level = base + gain * (skill.get(m.name)! + 0.12 * noise.normal());
      const few = m.family === 'interaction' ? Math.ceil(pairs / 4) : pairs;
      values[metric.name][m.name] = hard.map((difficulty, i) => {
        if (i >= few) return [];
        const pairValue = level + difficulty + 0.5 * spread * noise.normal();
        return Array.from({ length: m.sampled ? seeds : 1 }, () => {
          const value = pairValue + (m.sampled ? 0.2 * spread * noise.normal() : 0);
          if (metric.name === 'pointing' || metric.name === 'cosine-increase') return value > 0.45 ? 1 : 0;
          return metric.name === 'pixel-auc' && noise.uniform() < 0.03 ? Number.NaN : value;
        });
      });
    }
  }
  const curve = (steep: number, rising: boolean) => {
    const mean = Array.from({ length: 17 }, (_, k) => {
      const t = k / 16;
      const share = rising ? 1 - Math.exp(-steep * t) : Math.exp(-steep * t);
      return 0.08 + 0.2 * share + (rising ? 0.01 * t : 0);
    });
    return { mean, low: mean.map(v => v - 0.008), high: mean.map(v => v + 0.008) };
  };
  return {
    group,
    modality,
    pairs: Array.from({ length: pairs }, (_, i) => ({ id: `scene-${i}`, caption: `a red fox beside a lighthouse${text}`, cosine: 0.25 })),
    values,
    curves: Object.fromEntries(
      here.map(m => [m.name, { insertion: curve(1 + 9 * skill.get(m.name)!, true), deletion: curve(1 + 6 * skill.get(m.name)!, false) }]),
    ),
    cost: Object.fromEntries(
      here.map((m, i) => {
        const seconds =
          m.family === 'perturbation'
            ? 2 + i / 9
            : m.family === 'control'
              ? 0.0004
              : m.family === 'bottleneck'
                ? 0.4
                : 0.012 + 0.004 * noise.uniform();
        const range = [0.9 * seconds, 1.3 * seconds] as const;
        return [m.name, { seconds, range, measurements: 3, forward: Math.ceil(seconds * 80), backward: m.family === 'gradient' ? 1 : 0 }];
      }),
    ),
    skipped: modality === 'text' ? { random: `Nothing is drawn${text}.` } : {},
    failures: {},
    gallery: withGallery
      ? exampleGallery(
          modality,
          here.map(m => m.name),
          p,
          text,
        )
      : [],
  };
}

function exampleGallery(modality: 'image' | 'text', names: readonly string[], p: number, text: string): ResultCase[] {
  const cases: ResultCase[] = [];
  for (const [c, place] of (['best', 'median', 'worst'] as const).entries()) {
    const noise = random.reader(p, 1 + c);
    const [x, y] = [noise.uniform(30, 90), noise.uniform(30, 90)];
    const maps = names.map(method => {
      const value = noise.uniform();
      if (modality === 'text') return { method, value, unit: 'score', values: words.map(() => noise.uniform(-0.2, 1)) } as const;
      return { method, value, unit: 'nats', values: blob([x + 30 * noise.normal() * c, y]) } as const;
    });
    cases.push({
      place,
      metric: 'energy',
      pair: `scene-${c}`,
      caption: `${words.join(' ')}${text}`,
      picture: picture([x, y]),
      ...(modality === 'text'
        ? { words, truth: [0, 1, 1, 0, 0, 0] }
        : { grid: [SIDE, SIDE] as const, view: { left: 0, top: 0, width: SIZE, height: SIZE } }),
      maps,
    });
  }
  return cases;
}

/** Pixels and patches of an example's side. */
const [SIZE, SIDE] = [120, 12];

const near = (x: number, y: number, [cx, cy]: readonly [number, number]): number => Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 600);

const blob = (centre: readonly [number, number]): number[] =>
  Array.from({ length: SIDE * SIDE }, (_, i) => near(((i % SIDE) + 0.5) * 10, (Math.floor(i / SIDE) + 0.5) * 10, centre));

function picture(centre: readonly [number, number]): RgbImage {
  const image: RgbImage = { width: SIZE, height: SIZE, data: new Uint8Array(3 * SIZE * SIZE) };
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) image.data.set(near(x, y, centre) > 0.5 ? [200, 60, 40] : [150, 190 - y / 2, 220], 3 * (y * SIZE + x));
  return image;
}
