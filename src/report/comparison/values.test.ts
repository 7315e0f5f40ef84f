/**
 * @file The guard of the numbers: what `narrows compare` stores, tabulates and shows is computed here a second time, from the model alone and
 * with arithmetic written out, for metrics of every kind (truth, coalitions, pixels, words, explaining again, complexity, cost).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod, findMethod } from '../../attribution/registry.ts';
import { runComparison } from '../../evaluation/compare/comparison.ts';
import { openSource } from '../../evaluation/compare/data/open.ts';
import type { CompareSample } from '../../evaluation/compare/data/sample.ts';
import { styleGroups } from '../../evaluation/compare/data/scenes.ts';
import { loadModel } from '../../evaluation/compare/engine/load-model.ts';
import type { ComparisonResults, ResultPart } from '../../evaluation/compare/results.ts';
import type { Choice, CompareSpec } from '../../evaluation/compare/settings.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { spearman } from '../../tensor/statistics/rank.ts';
import { floats } from '../../tensor/tensor.ts';
import { analyse } from './analyse.ts';
import { assembleResults } from './assemble.ts';
import { tablesCsv } from './csv.ts';

const STEPS = 4;
const plain = (name: string, options: Choice['options'] = {}): Choice => ({ label: name, name, options });
const METHODS = [plain('grad-cam'), plain('m2ib', { steps: 2 }), plain('centre-prior'), plain('legrad')];
const METRICS = [
  ...[plain('energy-pointing-game'), plain('pointing-game')],
  ...[plain('insertion', { steps: STEPS, textRemoval: 'delete' }), plain('deletion', { steps: STEPS, textRemoval: 'delete' })],
  ...[plain('pixel-deletion', { steps: STEPS }), plain('text-cosine-drop')],
  ...[plain('seed-stability'), plain('prompt-randomisation')],
  ...[plain('entropy'), plain('forward-passes')],
];
const SEEDS = [5, 6];

let directory: string;
let model: DualEncoder;
let results: ComparisonResults;
const samples: Record<Modality, CompareSample[]> = { image: [], text: [] };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-values-'));
  model = await loadModel('scene-clip');
  const data = { kind: 'scenes', groups: styleGroups(['twemoji']), samples: 2, modalities: ['image', 'text'], seed: 4 } as const;
  const common = { model: 'scene-clip', seed: SEEDS[0], seeds: SEEDS.length, robustnessSamples: 2, robustnessPasses: 300 };
  const spec: CompareSpec = { ...common, methods: METHODS, metrics: METRICS, data, directory };
  const source = await openSource(data);
  for (const [i, { modality }] of source.names.entries()) samples[modality].push(await source.read(i));
  await runComparison(spec, source, model, { workers: 0 });
  results = await assembleResults(spec, source, model, { reference: 'm2ib' });
});
afterAll(async () => {
  await model.release();
  await rm(directory, { recursive: true, force: true });
});

const part = (modality: Modality): ResultPart => results.parts.find(p => p.modality === modality)!;
const modalities: readonly Modality[] = ['image', 'text'];

// --- The model by hand -------------------------------------------------------------------------------------------------------------------

const normalised = (v: Float32Array): Float32Array => v.map(x => x / Math.hypot(...v));
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);

async function imageFeature(pixels: Float32Array, shape: readonly number[]): Promise<Float32Array> {
  const { data } = await model.imageFeatures(floats([1, ...shape], pixels));
  return normalised(data as Float32Array);
}
async function textFeature(text: string): Promise<Float32Array> {
  const { inputIds, attentionMask } = model.requireTokenizer().encodeBatch([text], { maxLength: model.maxTextLength });
  return normalised((await model.textFeatures(inputIds, attentionMask)).data as Float32Array);
}

/** A method's map, made outside of the comparison. */
async function mapOf(choice: Choice, { pair, modality }: CompareSample, seed: number): Promise<Float32Array> {
  await using method = createMethod(findMethod(choice.name)!, model, { ...choice.options });
  const result = await method.attribute(pair, { modality, seed });
  return modality === 'image' ? result.image!.patches : Float32Array.from(result.text!.words, w => w.value);
}

const order = (map: Float32Array): number[] => [...map.keys()].sort((a, b) => map[b] - map[a] || a - b);
const trapezoids = (curve: readonly number[], shares: readonly number[]): number =>
  curve.slice(1).reduce((sum, v, i) => sum + (shares[i + 1] - shares[i]) * ((v + curve[i]) / 2), 0);

/** The cosine of what stays of an image (patches in the mean colour, which is 0) or of a caption (words taken out). */
async function scoreOf(sample: CompareSample, stays: ReadonlySet<number>): Promise<number> {
  const { pair, modality } = sample;
  const { pixelValues } = model.processor.process(pair.image);
  const pixels = pixelValues.data.slice() as Float32Array;
  let text = pair.text;
  if (modality === 'image') {
    const [channels, height, width] = pixelValues.shape;
    const [rows, columns] = model.image.grid!(height, width);
    for (let i = 0; i < pixels.length; i++) {
      const [y, x] = [Math.floor((i % (height * width)) / width), i % width];
      const patch = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
      if (!stays.has(patch)) pixels[i] = 0;
    }
    expect(channels).toBe(3);
  } else
    text = text
      .split(' ')
      .filter((_, i) => stays.has(i))
      .join(' ');
  return dot(await imageFeature(pixels, pixelValues.shape), await textFeature(text));
}

async function curve(sample: CompareSample, map: Float32Array, kind: 'insertion' | 'deletion') {
  const [n, steps] = [map.length, sample.modality === 'image' ? STEPS : map.length];
  const best = order(map);
  const counts = Array.from({ length: steps + 1 }, (_, k) => Math.round((k * n) / steps));
  const values: number[] = [];
  for (const count of counts) values.push(await scoreOf(sample, new Set(kind === 'insertion' ? best.slice(0, count) : best.slice(count))));
  return { values, shares: counts.map(c => c / n) };
}

/** Where the words of a caption stand that has one blank between any two. */
const spansOf = (text: string): [number, number][] => [...text.matchAll(/[^ ]+/g)].map(m => [m.index, m.index + m[0].length]);

/** Truth over the view's pixels (twemoji scenes are fed as they are), or per word. */
function truthOf({ truth, named, pair }: CompareSample): number[] {
  if (truth) {
    const [, height, width] = model.processor.process(pair.image).pixelValues.shape;
    return Array.from({ length: height * width }, (_, i) => {
      const y = Math.floor(((Math.floor(i / width) + 0.5) * truth.height) / height);
      return truth.data[y * truth.width + Math.floor((((i % width) + 0.5) * truth.width) / width)];
    });
  }
  return spansOf(pair.text).map(([start, end]) => (named!.some(([from, to]) => start < to && end > from) ? 1 : 0));
}

const onTruth = (map: Float32Array, { modality, pair }: CompareSample): Float32Array => {
  if (modality === 'text') return map;
  const [, height, width] = model.processor.process(pair.image).pixelValues.shape;
  return upsampleBilinear(map, model.image.grid!(height, width), [height, width]);
};

/** What a metric must say of a map. */
const EXPECTED: Record<string, (sample: CompareSample, map: Float32Array, choice: Choice) => Promise<number> | number> = {
  'energy-pointing-game'(sample, map) {
    const truth = truthOf(sample);
    const [inside, all] = [...onTruth(map, sample)].reduce(([i, a], v, k) => (v > 0 ? [i + v * truth[k], a + v] : [i, a]), [0, 0]);
    return inside / all;
  },
  insertion: async (sample, map) => {
    const { values, shares } = await curve(sample, map, 'insertion');
    return trapezoids(values, shares);
  },
  deletion: async (sample, map) => {
    const { values, shares } = await curve(sample, map, 'deletion');
    return trapezoids(values, shares);
  },
  'pixel-deletion': async (sample, map) => {
    const { pixelValues } = model.processor.process(sample.pair.image);
    const [, height, width] = pixelValues.shape;
    const area = height * width;
    const best = order(onTruth(map, sample));
    const counts = Array.from({ length: STEPS + 1 }, (_, k) => Math.round((k * area) / STEPS));
    const text = await textFeature(sample.pair.text);
    const values: number[] = [];
    for (const count of counts) {
      const pixels = pixelValues.data.slice() as Float32Array;
      for (const pixel of best.slice(0, count)) for (let c = 0; c < 3; c++) pixels[c * area + pixel] = 0;
      values.push(dot(await imageFeature(pixels, pixelValues.shape), text));
    }
    return trapezoids(
      values,
      counts.map(c => c / area),
    );
  },
  'text-cosine-drop': async (sample, map) => {
    // Words at or below the median are hidden from attention; BOS and EOS stay.
    const sorted = [...map].sort((x, y) => x - y);
    const median = (sorted[(map.length - 1) >> 1] + sorted[map.length >> 1]) / 2;
    const { inputIds, attentionMask, rows } = model.requireTokenizer().encodeBatch([sample.pair.text], { maxLength: model.maxTextLength });
    const hidden = attentionMask.data.slice() as typeof attentionMask.data;
    const spans = spansOf(sample.pair.text);
    for (const [t, token] of rows[0].tokens.entries()) {
      const word = spans.findIndex(([start, end]) => token.start < end && token.end > start);
      if (!token.special && map[word] <= median) hidden[t] = (typeof hidden[t] === 'bigint' ? 0n : 0) as never;
    }
    const { pixelValues } = model.processor.process(sample.pair.image);
    const seen = await imageFeature(pixelValues.data as Float32Array, pixelValues.shape);
    const kept = normalised((await model.textFeatures(inputIds, { ...attentionMask, data: hidden })).data as Float32Array);
    return 100 * Math.max(0, dot(seen, await textFeature(sample.pair.text)) - dot(seen, kept));
  },
  'seed-stability': async (sample, _, choice) => {
    if (!findMethod(choice.name)!.sampled) return 1;
    return spearman(await mapOf(choice, sample, 1000), await mapOf(choice, sample, 1001));
  },
  'prompt-randomisation': async (sample, map, choice) => {
    const other = samples.image.find(s => s.pair.text !== sample.pair.text)!;
    return spearman(map, await mapOf(choice, { ...sample, pair: { ...sample.pair, text: other.pair.text } }, SEEDS[0]));
  },
  entropy(_, map) {
    const total = map.reduce((sum, v) => sum + Math.abs(v), 0);
    return -map.reduce((sum, v) => (v === 0 ? sum : sum + (Math.abs(v) / total) * Math.log(Math.abs(v) / total)), 0);
  },
  'forward-passes': async ({ pair, modality }, _, choice) => {
    await using method = createMethod(findMethod(choice.name)!, model, { ...choice.options });
    return (await method.attribute(pair, { modality, seed: SEEDS[0] })).passes!.forward;
  },
};

describe('the values of a comparison', () => {
  it('are of every metric and method that serves, by pair and seed', () => {
    expect(Object.keys(part('image').values).sort()).toEqual(
      METRICS.map(m => m.label)
        .filter(m => m !== 'text-cosine-drop')
        .sort(),
    );
    expect(part('image').pairs.map(p => [p.id, p.caption])).toEqual(samples.image.map(s => [s.id, s.pair.text]));
    for (const modality of modalities)
      for (const columns of Object.values(part(modality).values))
        for (const [method, rows] of Object.entries(columns)) {
          expect(rows).toHaveLength(2);
          expect(METHODS.map(m => m.label)).toContain(method);
        }
  });

  it('give the cosine of each pair', async () => {
    for (const modality of modalities)
      for (const [p, sample] of samples[modality].entries())
        expect(part(modality).pairs[p].cosine).toBeCloseTo(await scoreOf(sample, new Set(Array(999).keys())), 5);
  });

  for (const [metric, expected] of Object.entries(EXPECTED))
    it(`equal ${metric} computed by hand`, async () => {
      let seen = 0;
      for (const modality of modalities) {
        const columns = part(modality).values[metric];
        if (!columns) continue;
        for (const choice of METHODS) {
          if (!columns[choice.label]) continue;
          for (const [p, sample] of samples[modality].entries())
            for (const [s, value] of columns[choice.label][p].entries()) {
              const map = await mapOf(choice, sample, SEEDS[s]);
              const want = await expected(sample, map, choice);
              expect(Math.abs(value - want), `${modality} ${choice.label} pair ${p} seed ${s}: ${value} for ${want}`).toBeLessThan(2e-4);
              seen++;
            }
        }
      }
      expect(seen).toBeGreaterThan(3);
    });

  it('agree with the curves that they are areas of', async () => {
    for (const modality of modalities)
      for (const label of ['grad-cam', 'legrad']) {
        const found = part(modality).curves[label];
        if (!found) continue;
        for (const kind of ['insertion', 'deletion'] as const) {
          const curves = await Promise.all(
            samples[modality].map(async sample => (await curve(sample, await mapOf(plain(label), sample, SEEDS[0]), kind)).values),
          );
          const ends = [0, -1].map(at => (curves[0].at(at)! + curves[1].at(at)!) / 2);
          expect(found[kind].mean[0]).toBeCloseTo(ends[0], 4);
          expect(found[kind].mean.at(-1)).toBeCloseTo(ends[1], 4);
          // Seventeen points at equal shares: those of a curve over the patches in four steps are among them.
          if (modality === 'image')
            for (let k = 0; k <= STEPS; k++) expect(found[kind].mean[4 * k]).toBeCloseTo((curves[0][k] + curves[1][k]) / 2, 4);
          // Two pairs: the interval is 1.96 standard errors wide on each side.
          const error = Math.abs(curves[0][0] - curves[1][0]) / 2;
          expect(found[kind].high![0] - found[kind].mean[0]).toBeCloseTo(1.959964 * error, 4);
          expect(found[kind].mean[0] - found[kind].low![0]).toBeCloseTo(1.959964 * error, 4);
        }
      }
  });
});

describe('the tables', () => {
  it('hold the mean over pairs of the mean over seeds, and the best by the direction', () => {
    const analysis = analyse(results, { resamples: 50, flips: 20 });
    const lines = Buffer.concat([...tablesCsv(analysis)])
      .toString()
      .trim()
      .split('\r\n');
    const cells = (line: string): string[] => [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(m => m[1]);
    const head = cells(lines[0]);
    const table = lines.slice(1).map(line => Object.fromEntries(cells(line).map((cell, i) => [head[i], cell])));
    for (const { part: of, tables } of analysis.parts)
      for (const { metric, rows, best } of tables) {
        const means = new Map(
          rows.map(row => {
            const values = of.values[metric.name][row.method].map(seeds => seeds.reduce((a, b) => a + b, 0) / seeds.length);
            return [row.method, values.reduce((a, b) => a + b, 0) / values.length];
          }),
        );
        for (const row of rows) {
          const line = table.find(l => l.modality === of.modality && l.metric === metric.name && l.method === row.method)!;
          const mean = means.get(row.method)!;
          expect(line.reference).toBe('m2ib');
          if (Number.isNaN(mean)) continue;
          expect(row.value.estimate).toBeCloseTo(mean, 8);
          expect(Number(line.mean)).toBeCloseTo(mean, 8);
        }
        if (best === undefined) continue;
        const finite = [...means.values()].filter(v => !Number.isNaN(v));
        expect(means.get(best)).toBe(metric.direction === 'lower' ? Math.min(...finite) : Math.max(...finite));
      }
  });
});

describe('the gallery', () => {
  it('shows the maps of the methods, the best pair as best and the worst as worst', async () => {
    for (const modality of modalities) {
      const { gallery, values } = part(modality);
      const byPlace = Object.fromEntries(gallery.map(c => [c.place, c]));
      const [{ metric }] = gallery;
      const pairMeans = values[metric].m2ib.map(seeds => seeds.reduce((a, b) => a + b, 0) / seeds.length);
      const direction = results.metrics.find(m => m.name === metric)!.direction;
      const best = pairMeans.indexOf(direction === 'lower' ? Math.min(...pairMeans) : Math.max(...pairMeans));
      if (pairMeans[0] !== pairMeans[1]) {
        expect(byPlace.best.pair).toBe(samples[modality][best].id);
        expect(byPlace.worst.pair).toBe(samples[modality][1 - best].id);
      }
      for (const one of gallery) {
        const p = samples[modality].findIndex(s => s.id === one.pair);
        expect(one.caption).toBe(samples[modality][p].pair.text);
        for (const { method, values: map, value } of one.maps) {
          const choice = METHODS.find(m => m.label === method)!;
          const wanted = await mapOf(choice, samples[modality][p], SEEDS[0]);
          expect(map).toHaveLength(wanted.length);
          // To four digits, or to the last bit of float32 where that is more.
          const equal = (v: number, i: number): boolean => Math.abs(v - wanted[i]) <= Math.max(5e-5, Math.abs(wanted[i]) * 2 ** -23);
          expect(Array.from(map).filter((v, i) => !equal(v, i))).toEqual([]);
          const seeds = values[metric][method][p];
          expect(value).toBeCloseTo(seeds.reduce((a, b) => a + b, 0) / seeds.length, 8);
        }
      }
    }
  });
});
