/** @file Metrics against Quantus and plain PyTorch on one map of the tiny CLIP; testdata/README.md says how the values were made. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIPModel } from '../../models/clip/model.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { encodeTargets } from '../encode-target.ts';
import { imageGame, scoresOf } from '../perturbation/games.ts';
import { Perturbation } from '../perturbation/perturbation.ts';
import type { Target } from '../target.ts';
import { ReferenceFile } from '../verify/reference.ts';
import { encodeTensors } from '../verify/tensor-run.ts';
import type { MetricSample } from './metric.ts';
import { judge } from './testing/samples.ts';

const tiny = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const path = new URL('testdata/metrics-clip-tiny.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')).metrics as Record<string, number>;

let model: CLIPModel;
let engine: Perturbation;
/** The map over all 32 × 32 pixels. */
let pixelMap: MetricSample;
/** The same before it was enlarged: 4 × 4 patches. */
let patchMap: MetricSample;

beforeAll(async () => {
  model = await CLIPModel.fromPretrained(tiny);
  const file = await ReferenceFile.open(`${tiny}/attributions.safetensors`);
  const outputs = await ReferenceFile.open(`${tiny}/outputs.safetensors`);
  const pixels = floats([3, 32, 32], (await outputs.floats('pixel_values')).data.slice(0, 3 * 32 * 32));
  const all = await outputs.integers('input_ids');
  const mask = (await outputs.integers('attention_mask')).data.subarray(0, all.shape[1]) as Int32Array;
  const length = mask.reduce((a, b) => a + b, 0);
  const inputIds = ints([1, length], (all.data as Int32Array).slice(0, length));
  const encoded = await encodeTensors(model, { pixelValues: floats([1, 3, 32, 32], pixels.data), inputIds }, { image: -1, text: -1 });
  const target: Target = (await encodeTargets(model, encoded)).image;
  engine = new Perturbation({ model, encoded });
  const shared = {
    modality: 'image',
    size: [32, 32],
    truth: Uint8Array.from((await file.floats('metric.mask')).data),
    pixels,
    scorePixels: async (batch: FloatTensor) => scoresOf(target, 0, await engine.pixelFeatures(batch)),
    key: 0,
  } as const;
  pixelMap = { ...shared, map: (await file.floats('metric.map')).data, grid: [32, 32] };
  patchMap = {
    ...shared,
    map: (await file.floats('image.nib')).data.slice(1),
    grid: [4, 4],
    game: removal => imageGame(engine, 0, target, { removal: removal as 'mean' }),
  };
});
afterAll(async () => {
  await engine.release();
  await model.release();
});

describe('metrics equal the golden ones', () => {
  it.each([
    ['pointing-game', 'PointingGame', {}],
    ['relevance-rank', 'RelevanceRankAccuracy', {}],
    ['relevance-mass', 'RelevanceMassAccuracy', {}],
    ['relevance-mass', 'RelevanceMassAccuracy', { signed: true }],
    ['energy-pointing-game', 'energy_pointing_game', {}],
    ['pixel-auc', 'AUC', {}],
    ['entropy', 'Complexity', {}],
    ['gini', 'Sparseness', {}],
    ['effective-complexity', 'EffectiveComplexity', { epsilon: 0.5, relative: false }],
  ])('%s: Quantus %s %j', async (name, theirs, options) => {
    expect(await judge(name, pixelMap, options)).toBeCloseTo(golden[theirs], 6);
  });

  it('the areas of both curves over patches', async () => {
    expect(await judge('deletion', patchMap, { steps: 0 })).toBeCloseTo(golden.deletion_auc, 6);
    expect(await judge('insertion', patchMap, { steps: 0 })).toBeCloseTo(golden.insertion_auc, 6);
    expect(Math.abs(golden.deletion_auc - golden.insertion_auc)).toBeGreaterThan(0.01);
  });

  it('the cosine of the image times the map, its drop and increase', async () => {
    const scored: Float64Array[] = [];
    const watched: MetricSample = {
      ...pixelMap,
      async scorePixels(batch) {
        scored.push(await pixelMap.scorePixels!(batch));
        return scored.at(-1)!;
      },
    };
    expect(await judge('cosine-drop', watched)).toBeCloseTo(golden.cosineDrop_x100, 6);
    expect(await judge('cosine-increase', watched)).toBe(100 * golden.cosineIncrease);
    for (const [masked, whole] of scored) {
      expect(masked).toBeCloseTo(golden.cosine_masked_by_map, 6);
      expect(whole).toBeCloseTo(golden.cosine_full, 6);
    }
  });

  it('the same from patches, enlarged and scaled here', async () => {
    expect(await judge('pointing-game', patchMap)).toBe(golden.PointingGame);
    expect(await judge('pixel-auc', patchMap)).toBeCloseTo(golden.AUC, 6);
    expect(await judge('relevance-rank', patchMap)).toBeCloseTo(golden.RelevanceRankAccuracy, 6);
    expect(await judge('cosine-increase', patchMap)).toBe(100 * golden.cosineIncrease);
  });
});
