import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resample } from '../../evaluation/compare/collect.ts';
import { runComparison } from '../../evaluation/compare/comparison.ts';
import { openSource } from '../../evaluation/compare/data/open.ts';
import type { SampleSource } from '../../evaluation/compare/data/sample.ts';
import { styleGroups } from '../../evaluation/compare/data/scenes.ts';
import { loadModel } from '../../evaluation/compare/engine/load-model.ts';
import type { Choice, CompareSpec } from '../../evaluation/compare/settings.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { assembleResults } from './assemble.ts';

let directory: string;
let model: DualEncoder;
let source: SampleSource;
let spec: CompareSpec;
const plain = (name: string): Choice => ({ label: name, name, options: {} });
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-assemble-'));
  model = await loadModel('scene-clip');
  const data = { kind: 'scenes', groups: styleGroups(['twemoji']), samples: 3, modalities: ['image', 'text'], seed: 2 } as const;
  source = await openSource(data);
  const methods = [plain('legrad'), { label: 'm2ib@short', name: 'm2ib', options: { steps: 2 }, pairs: 2 }, plain('uniform')];
  const judged = ['pointing-game', 'insertion'].map(plain);
  spec = { model: 'scene-clip', methods, metrics: judged, data, seed: 0, seeds: 2, robustnessSamples: 1, robustnessPasses: 300, directory };
});
afterAll(async () => {
  await model.release();
  await rm(directory, { recursive: true, force: true });
});

describe('results of a comparison', () => {
  it('need a complete pair and a reference that took part', async () => {
    await expect(assembleResults(spec, source, model, { reference: 'legrad' })).rejects.toThrow(/No pair of this comparison is complete/);
    await expect(assembleResults(spec, source, model, { reference: 'm2ib' })).rejects.toThrow(/"m2ib" is not among the methods/);
  });

  it('hold values, costs and reasons by group and modality', async () => {
    await runComparison(spec, source, model, { workers: 0 });
    const results = await assembleResults(spec, source, model, { reference: 'm2ib@short' });
    expect(results.data).toMatchObject({ samples: 6, style: 'twemoji' });
    expect(results.methods[1]).toMatchObject({ name: 'm2ib@short', title: 'M2IB (m2ib@short)', options: { steps: 2, pairs: 2 } });
    expect(results.parts.map(p => [p.group, p.modality, p.pairs.length])).toEqual([
      ['twemoji', 'image', 3],
      ['twemoji', 'text', 3],
    ]);
    const [image, text] = results.parts;
    expect(text.skipped?.legrad).toMatch(/no map of the text/);
    expect(image.cost['m2ib@short'].forward).toBeGreaterThan(0);
    expect(image.cost.uniform.forward).toBe(0);
    for (const columns of Object.values(image.values)) {
      // Two seeds of a method that draws, one of another, none where it was limited.
      expect(columns['m2ib@short'].map(seeds => seeds.length)).toEqual([2, 2, 0]);
      expect(columns.legrad.map(seeds => seeds.length)).toEqual([1, 1, 1]);
    }
    expect(image.gallery.map(c => c.place)).toEqual(['best', 'median', 'worst']);
    expect(() => JSON.stringify(results)).not.toThrow();
  });
});

it('curves are read at equal shares', () => {
  expect(resample([0, 1], 5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(resample([0, 2, 2], 5)).toEqual([0, 1, 2, 2, 2]);
});
