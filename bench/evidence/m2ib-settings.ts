/**
 * @file Which settings of M2IB work best: energy in the named object's box, pointing, deletion and insertion, stability over seeds, cost,
 * on fresh scenes with two or more objects, beside controls. Writes JSON and Markdown tables: intervals, and paired differences from the first
 * setting. A setting is options of M2IB; with `method` those of another method.
 * usage: node --import tsx bench/evidence/m2ib-settings.ts [--model REF] [--samples N] [--settings FILE.json] [--output DIR]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { centrePrior, gradientMagnitude, randomMap } from '../../src/attribution/controls/controls.ts';
import { encodeTargets } from '../../src/attribution/encode-target.ts';
import { encodePairs } from '../../src/attribution/pair.ts';
import { imageGame } from '../../src/attribution/perturbation/games.ts';
import { Perturbation } from '../../src/attribution/perturbation/perturbation.ts';
import { createMethod, type MethodName } from '../../src/attribution/registry.ts';
import { positiveShare } from '../../src/evaluation/metrics/energy-pointing-game.ts';
import { located } from '../../src/evaluation/metrics/located.ts';
import { shareOfHits } from '../../src/evaluation/metrics/pointing-game.ts';
import { areaUnder, removalCurve } from '../../src/evaluation/metrics/ranking.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { nameCaption } from '../../src/scenes/captions.ts';
import { drawScene } from '../../src/scenes/scene.ts';
import type { STYLES } from '../../src/scenes/sprite-atlas.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap, pairedBootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../src/tensor/statistics/descriptive.ts';
import { spearman } from '../../src/tensor/statistics/rank.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-clip' },
    samples: { type: 'string', default: '200' },
    settings: { type: 'string' },
    output: { type: 'string', default: 'out/evidence' },
    seed: { type: 'string', default: '20261124' },
    styles: { type: 'string' },
    'no-removal': { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
});
const samples = Number(flags.samples);
const seed = Number(flags.seed);
const model = await CLIPModel.fromPretrained(flags.model, { runtime: nodeRuntime({ threads: Number(flags.threads) }) });
const styles = flags.styles?.split(',') as (typeof STYLES)[number][] | undefined;
const world = await loadSprites(styles ? { styles } : {});
const stream = new RandomStream(seed, 'evidence.scenes');
const choices = new RandomStream(seed, 'evidence.choices');

/** A scene with two to four objects and one of them named. */
const cases = Array.from({ length: samples }, (_, i) => {
  const scene = drawScene(world, { minObjects: 2, maxObjects: 4 }, stream.reader(0, i));
  const named = choices.reader(0, i).pick(scene.objects.filter(o => o.visible > 0.6));
  return { scene, named, text: nameCaption(named.concept) };
});

interface Row {
  energy: number[];
  pointing: number[];
  deletion: number[];
  insertion: number[];
  stability?: number[];
  seconds?: number;
}
const rows = new Map<string, Row>();
const pairs = cases.map(({ scene, text }) => ({ image: scene.image, text }));
const encoded = await encodePairs(model, pairs, { image: -1, text: -1 });
const { grid } = encoded.image;
const { image: target } = await encodeTargets(model, encoded);
const engine = new Perturbation({ model, encoded });

/** 1 in the named object's box. */
function boxOf({ scene: { width, height }, named: { box } }: (typeof cases)[number]): Uint8Array {
  const truth = new Uint8Array(width * height);
  for (let y = box.top; y < box.top + box.height; y++) truth.fill(1, y * width + box.left, y * width + box.left + box.width);
  return truth;
}

async function score(name: string, maps: readonly Float32Array[]): Promise<Row> {
  const row: Row = { energy: [], pointing: [], deletion: [], insertion: [] };
  for (const [i, map] of maps.entries()) {
    const { width, height } = cases[i].scene;
    const truth = boxOf(cases[i]);
    const { values, inside } = located({ modality: 'image', map, grid, size: [height, width], truth, key: 0 });
    const energy = positiveShare(values, truth);
    // A map that is nowhere positive says as much as a uniform one.
    row.energy.push(Number.isNaN(energy) ? inside / truth.length : energy);
    row.pointing.push(shareOfHits(values, at => truth[at] === 1));
    if (flags['no-removal']) continue;
    const curves = await removalCurve(imageGame(engine, i, target), map, 8);
    row.deletion.push(areaUnder(curves.deletion));
    row.insertion.push(areaUnder(curves.insertion));
  }
  rows.set(name, row);
  return row;
}

type Setting = Readonly<Record<string, unknown>> & { readonly method?: string };
const DEFAULTS: Record<string, Setting> = {
  default: {},
  'published form (compat)': { compat: 'm2ib-official' },
};
const settings: Record<string, Setting> = flags.settings
  ? JSON.parse((await import('node:fs')).readFileSync(flags.settings, 'utf8'))
  : DEFAULTS;
await score(
  'control: uniform',
  cases.map(() => new Float32Array(grid[0] * grid[1]).fill(1)),
);
await score(
  'control: random',
  cases.map((_, i) => randomMap(grid, seed, i)),
);
await score(
  'control: centre prior',
  cases.map(() => centrePrior(grid)),
);
await score(
  'control: image gradient magnitude',
  cases.map(c => gradientMagnitude(c.scene.image, grid)),
);
for (const [name, { method: which = 'm2ib', ...options }] of Object.entries(settings)) {
  const method = createMethod(which as MethodName, model, options);
  const perSeed: Float32Array[][] = [];
  let seconds = 0;
  for (const s of [1, 2]) {
    const maps: Float32Array[] = [];
    for (let from = 0; from < samples; from += 20) {
      const results = await method.attributeAll(pairs.slice(from, from + 20), { modality: 'image', seed: s });
      seconds += results[0].timings['explain image'];
      maps.push(...results.map(r => r.image!.patches));
    }
    perSeed.push(maps);
  }
  const row = await score(name, perSeed[0]);
  row.stability = perSeed[0].map((m, i) => spearman([...m], [...perSeed[1][i]]));
  row.seconds = seconds / (2 * samples);
  await method.release();
  console.error(
    name,
    'energy',
    mean(row.energy).toFixed(3),
    'pointing',
    mean(row.pointing).toFixed(2),
    'ins',
    mean(row.insertion).toFixed(3),
    'del',
    mean(row.deletion).toFixed(3),
    'stability',
    mean(row.stability).toFixed(3),
    'ms',
    (row.seconds * 1000).toFixed(1),
  );
}

const random = new RandomStream(seed, 'evidence.bootstrap');
const interval = (values: readonly number[]): string => {
  if (!values.length) return '';
  const { estimate, low, high } = bootstrap(values, mean, { random });
  return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
};
const lines = [
  '| map | energy in box | pointing | insertion AUC ↑ | deletion AUC ↓ | rank stability | ms a map |',
  '|---|---|---|---|---|---|---|',
];
for (const [name, r] of rows)
  lines.push(
    `| ${name} | ${interval(r.energy)} | ${interval(r.pointing)} | ${interval(r.insertion)} | ${interval(r.deletion)} | ${r.stability ? interval(r.stability) : ''} | ${r.seconds ? (r.seconds * 1000).toFixed(0) : ''} |`,
  );
const first = Object.keys(settings)[0];
const MEASURES = ['energy', 'pointing', 'insertion', 'deletion', 'stability'] as const;
lines.push(
  '',
  `Paired differences from "${first}" (95 % bootstrap over ${samples} scenes):`,
  '',
  `| map | ${MEASURES.join(' | ')} |`,
  `|---${'|---'.repeat(MEASURES.length)}|`,
);
for (const [name, row] of rows) {
  if (name === first) continue;
  const differences = MEASURES.map(measure => {
    const [own, other] = [row[measure], rows.get(first)![measure]];
    if (!own?.length || !other?.length) return '';
    const d = pairedBootstrap(own, other, { random });
    return `${d.estimate.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`;
  });
  lines.push(`| ${name} | ${differences.join(' | ')} |`);
}
mkdirSync(flags.output, { recursive: true });
writeFileSync(`${flags.output}/m2ib.md`, `${lines.join('\n')}\n`);
writeFileSync(
  `${flags.output}/m2ib.json`,
  JSON.stringify({
    schemaVersion: 1,
    model: flags.model,
    sha256: await model.sha256(),
    samples,
    seed,
    settings,
    rows: Object.fromEntries(rows),
  }),
);
console.log(lines.join('\n'));
await engine.release();
await model.release();
