/** @file Metrics against captum, pytorch-grad-cam, scikit-learn, scikit-image, scipy and PyTorch; testdata/README.md says how. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTargets } from '../../attribution/encode-target.ts';
import { scoresOf } from '../../attribution/perturbation/games.ts';
import { Perturbation } from '../../attribution/perturbation/perturbation.ts';
import { GraphCache } from '../../graph/index.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { encodeTensors } from '../../verify/tensor-run.ts';
import { sumsOver } from './coalitions.ts';
import { imputeLinear } from './impute.ts';
import { squaredError } from './infidelity.ts';
import { otsuThreshold } from './iou.ts';
import type { MetricSample } from './metric.ts';

import { judge, wordsSample } from './testing/samples.ts';
import { tokenWeightScores } from './token-weights.ts';

const tiny = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const golden = JSON.parse(readFileSync(new URL('testdata/library-goldens.json', import.meta.url), 'utf8'));

describe("captum's infidelity", () => {
  const { worth, pairs, map, removed, none, optimal } = golden.infidelity as Record<string, number[]> & {
    pairs: number[][];
    removed: number[][];
    none: number;
    optimal: number;
  };
  const value = (there: readonly number[]): number =>
    there.reduce((sum, z, i) => sum + z * (worth[i] + there.reduce((inner, other, j) => inner + pairs[i][j] * other, 0)), 0);
  const full = value(worth.map(() => 1));
  const falls = removed.map(gone => full - value(gone.map(v => 1 - v)));
  const sums = sumsOver(map, Uint8Array.from(removed.flat()));

  it('without and with the best scale', () => {
    expect(squaredError(sums, falls, 'none')).toBeCloseTo(none, 10);
    expect(squaredError(sums, falls, 'optimal')).toBeCloseTo(optimal, 10);
  });

  it('is far off for the negative map without a scale, and the same with one', () => {
    const negative = sums.map(v => -v);
    expect(Math.abs(squaredError(negative, falls, 'none') - none)).toBeGreaterThan(0.1);
    expect(squaredError(negative, falls, 'optimal')).toBeCloseTo(optimal, 10);
  });
});

describe("pytorch-grad-cam's ROAD", () => {
  const side = 16;
  const { image, map, weights, filled, combined } = golden.road as Record<string, number[]> & {
    filled: Record<string, number[]>;
    combined: number;
  };
  const sample: MetricSample = {
    modality: 'image',
    map: Float32Array.from(map),
    grid: [side, side],
    size: [side, side],
    pixels: floats([3, side, side], image),
    scorePixels: async ({ shape, data }) =>
      Float64Array.from({ length: shape[0] }, (_, m) =>
        Math.tanh(weights.reduce((sum, w, i) => sum + w * data[m * weights.length + i], 0) / 100),
      ),
    key: 0,
  };
  const order = [...map.keys()].sort((a, b) => map[b] - map[a]);

  it.each(['30', '90'])('imputes %s in a hundred of the pixels as the exact solution does', percent => {
    const removed = new Uint8Array(side * side);
    for (const i of order.slice(0, Math.round((Number(percent) / 100) * side * side))) removed[i] = 1;
    const distance = (sweeps: number): number => {
      const imputed = imputeLinear(Float32Array.from(image), [side, side], removed, sweeps);
      return Math.max(...filled[percent].map((v, i) => Math.abs(v - imputed[i])));
    };
    // Given with five digits.
    expect(distance(500)).toBeLessThan(2e-5);
    expect(distance(40)).toBeLessThan(2e-5);
    expect(distance(1)).toBeGreaterThan(1e-3);
  });

  it('combines both orders', async () => {
    const options = { percentiles: [90, 80, 70, 60, 50, 30, 10], noise: 0 };
    expect(await judge('road', sample, options)).toBeCloseTo(combined, 5);
    const turned = await judge('road', { ...sample, map: sample.map.map(v => -v) }, options);
    expect(turned).toBeCloseTo(-combined, 5);
  });
});

describe('scikit-learn and scikit-image', () => {
  it('average precision and area under the ROC curve, with ties', async () => {
    const { map, truth, ap, auc } = golden.classifier;
    const sample: MetricSample = { ...wordsSample(map, map), truth: Uint8Array.from(truth) };
    expect(await judge('pixel-ap', sample)).toBeCloseTo(ap, 10);
    expect(await judge('pixel-auc', sample)).toBeCloseTo(auc, 10);
  });

  it("Otsu's cut leaves as many above", () => {
    const { map, above } = golden.otsu as { map: number[]; above: number };
    const cut = otsuThreshold(map);
    expect(map.filter(v => v >= cut).length).toBe(above);
  });
});

describe('PyTorch on the tiny CLIP', () => {
  const clip = golden.clip as Record<string, number> & { words: number[] };
  let model: CLIPModel;
  let engine: Perturbation;
  const graphs = new GraphCache();
  let sample: MetricSample;
  let words: MetricSample;
  beforeAll(async () => {
    model = await CLIPModel.fromPretrained(tiny);
    const file = await ReferenceFile.open(`${tiny}/attributions.safetensors`);
    const outputs = await ReferenceFile.open(`${tiny}/outputs.safetensors`);
    const pixels = floats([3, 32, 32], (await outputs.floats('pixel_values')).data.slice(0, 3 * 32 * 32));
    const ids = await outputs.integers('input_ids');
    const length = clip.words.length + 2;
    const inputIds = ints([1, length], (ids.data as Int32Array).slice(0, length));
    const encoded = await encodeTensors(model, { pixelValues: floats([1, 3, 32, 32], pixels.data), inputIds }, { image: -1, text: -1 });
    const targets = await encodeTargets(model, encoded);
    engine = new Perturbation({ model, encoded });
    sample = {
      ...{ modality: 'image', map: (await file.floats('metric.map')).data, grid: [32, 32], size: [32, 32], key: 0, pixels },
      scorePixels: async batch => scoresOf(targets.image, 0, await engine.pixelFeatures(batch)),
    };
    words = {
      ...{ modality: 'text', map: Float32Array.from(clip.words), key: 0 },
      scoreTokenWeights: tokenWeightScores({ model, encoded, keep: graphs.keep }, 0, targets.text),
    };
  });
  afterAll(async () => {
    await graphs.release();
    await engine.release();
    await model.release();
  });

  it("the official script's first row, and the whole map", async () => {
    // Both lie above the whole or below it: the drop of one is the other's increase.
    expect(await judge('cosine-drop', sample, { officialFirstRow: true })).toBeCloseTo(100 * (clip.whole - clip.first_row), 4);
    expect(await judge('cosine-increase', sample, { officialFirstRow: true })).toBe(0);
    expect(await judge('cosine-drop', sample)).toBe(0);
    expect(await judge('cosine-increase', sample)).toBe(100);
    expect(clip.soft - clip.whole).toBeGreaterThan(0.01);
  });

  it('deletion and insertion pixel by pixel', async () => {
    expect(await judge('pixel-deletion', sample)).toBeCloseTo(clip.pixel_deletion, 6);
    expect(await judge('pixel-insertion', sample)).toBeCloseTo(clip.pixel_insertion, 6);
    const turned = { ...sample, map: sample.map.map(v => -v) };
    expect(Math.abs((await judge('pixel-deletion', turned)) - clip.pixel_deletion)).toBeGreaterThan(0.01);
  });

  it("NIB's weighted embeddings", async () => {
    const [low, high] = [Math.min(...clip.words), Math.max(...clip.words)];
    const rows = Float32Array.from([...clip.words.map(v => (v - low) / (high - low)), ...clip.words.map(() => 1)]);
    const [weighted, whole] = await words.scoreTokenWeights!(rows);
    expect(weighted).toBeCloseTo(clip.nib_weighted, 6);
    expect(whole).toBeCloseTo(clip.whole, 6);
    expect(await judge('nib-text-drop', words)).toBe(0);
    expect(await judge('nib-text-increase', words)).toBe(100);
  });
});
