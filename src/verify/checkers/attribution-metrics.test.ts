/** @file Metrics in `narrows verify`: curves, map and numbers of the golden file agree; a changed one is found; what is missing is said. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { ReferenceFile } from '../reference.ts';
import { type VerifyReport, verifyReference } from '../verify.ts';
import { attributionMetricsChecker } from './attribution-metrics.ts';

const tiny = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const CURVES = ['metric.deletion_curve', 'metric.insertion_curve'];

let root: string;
let model: CLIPModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-metrics-'));
  model = await CLIPModel.fromPretrained(tiny);
});
afterAll(async () => {
  await model.release();
  await rm(root, { recursive: true });
});

type Change = (values: Map<string, FloatTensor>, metrics: Record<string, unknown>) => unknown;

/** The goldens of metrics and the map they follow, changed. */
async function verify(change: Change = () => {}): Promise<VerifyReport> {
  const file = await ReferenceFile.open(join(tiny, 'attributions.safetensors'));
  const tensors = new Map<string, FloatTensor>();
  for (const name of [...CURVES, 'metric.map', 'metric.mask', 'image.nib']) tensors.set(name, await file.floats(name));
  const metrics = { ...(file.settings.metrics as Record<string, unknown>) };
  change(tensors, metrics);
  const path = join(root, 'attributions.safetensors');
  await writeSafetensors(path, tensors, { settings: JSON.stringify({ pair: 0, metrics }) });
  const inputsPath = join(tiny, 'outputs.safetensors');
  return verifyReference({ model, referencePath: path, inputsPath, checkers: [attributionMetricsChecker] });
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of from) all.push(one);
  return all;
}

const departing = (report: VerifyReport): string[] => report.rows.filter(r => !r.ok).map(r => r.name);

describe('metrics in narrows verify', () => {
  it("agree with PyTorch's curves and Quantus's numbers", async () => {
    const report = await verify();
    expect(departing(report)).toEqual([]);
    const numbers = ['PointingGame', 'RelevanceRankAccuracy', 'RelevanceMassAccuracy', 'AUC', 'Complexity', 'Sparseness'];
    numbers.push('TopKIntersection', 'EffectiveComplexity', 'deletion_auc', 'insertion_auc', 'cosine_full', 'cosine_masked_by_map');
    numbers.push('cosineDrop_x100', 'cosineIncrease', 'energy_pointing_game');
    expect(report.rows.map(r => [r.name, r.tolerance])).toEqual(
      expect.arrayContaining([...CURVES, 'metric.map', ...numbers.map(n => `metrics.${n}`)].map(name => [name, 1e-5])),
    );
    expect(report.rows.length).toBe(numbers.length + 3);
    expect(report.inputs).toEqual(['metric.mask']);
    expect(report.unverified.map(u => u.name)).toEqual(['image.nib']);
  });

  it('depart where a point of a curve or a number does', async () => {
    const report = await verify((values, metrics) => {
      values.get('metric.insertion_curve')!.data[3] *= 1.001;
      metrics.AUC = 0.45;
      metrics.cosineIncrease = 0;
      metrics.Fame = 3;
    });
    expect(departing(report)).toEqual(['metric.insertion_curve', 'metrics.AUC', 'metrics.cosineIncrease']);
    expect(report.unverified).toContainEqual({ name: 'metrics.Fame', reason: 'Narrows does not know this name' });
  });

  it('depart where the order or the mask is another', async () => {
    const turned = await verify(values => {
      const { shape, data } = values.get('image.nib')!;
      const negative = floats(
        shape,
        data.map(v => -v),
      );
      values.set('image.nib', negative);
    });
    expect(departing(turned)).toEqual(expect.arrayContaining([...CURVES, 'metric.map', 'metrics.deletion_auc', 'metrics.AUC']));
    const inside = await verify(values => {
      const { data } = values.get('metric.mask')!;
      for (let i = 0; i < data.length; i++) data[i] = 1 - data[i];
    });
    expect(departing(inside)).toEqual(
      expect.arrayContaining(['metrics.RelevanceMassAccuracy', 'metrics.AUC', 'metrics.energy_pointing_game']),
    );
  });

  it('say what they lack', async () => {
    const noMask = await verify(values => values.delete('metric.mask'));
    expect(noMask.unverified).toContainEqual({ name: 'metrics.AUC', reason: 'the file has no metric.mask' });
    expect(noMask.ok).toBe(true);
    await expect(verify(values => values.delete('image.nib'))).rejects.toThrow('the file has no image.nib, the map that the metrics judge');
  });

  it('say that a map is of another model', async () => {
    const path = join(root, 'short.safetensors');
    const [nib, map] = [floats([3], [1, 2, 3]), floats([32, 32], new Float32Array(1024))];
    await writeSafetensors(path, new Map(Object.entries({ 'image.nib': nib, 'metric.map': map })));
    const context = { model, reference: await ReferenceFile.open(path), inputsPath: join(tiny, 'outputs.safetensors') };
    const results = await collect(attributionMetricsChecker.compute(context, ['metric.map']));
    expect(results).toEqual([{ name: 'metric.map', reason: 'image.nib is [3], not one value for each of the 17 tokens' }]);
  });
});
