import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { loadModel } from '../models/pretrained.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { verifyReference } from './verify.ts';

const models = fileURLToPath(new URL('../models', import.meta.url));
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-scales-'));
});
afterAll(() => rm(root, { recursive: true }));

/** The rows of some tensors of a golden file after every entry was moved by `shift`. */
async function shifted(model: string, file: string, names: RegExp, shift: number) {
  const directory = join(models, model);
  const { tensors, metadata } = await openSafetensors(join(directory, `${file}.safetensors`));
  const kept = new Map<string, Tensor>();
  for (const [name, entry] of tensors) {
    const value = await readTensor(entry);
    if (names.test(name)) kept.set(name, { ...value, data: (value.data as Float32Array).map(v => v + shift) } as Tensor);
    else if (/^(pixel_values|input_ids|attention_mask|image\.nib|metric\.mask|exact\.player_mask)$/.test(name)) kept.set(name, value);
  }
  const to = await mkdtemp(join(root, 'case-'));
  await copyFile(join(directory, 'outputs.safetensors'), join(to, 'outputs.safetensors'));
  const referencePath = join(to, 'moved.safetensors');
  // The numbers that stand in the settings are not of interest here.
  const { metrics, ...settings } = JSON.parse(metadata.settings) as Record<string, unknown>;
  await writeSafetensors(referencePath, kept, { ...metadata, settings: JSON.stringify(settings) });
  await using loaded = await loadModel(directory);
  return (await verifyReference({ model: loaded, referencePath })).rows.filter(row => names.test(row.name));
}

const COSINES = /^(grad\.cosine|image\.occlusion_patches|exact\.(image|text|joint)\..*|exact\.values\.corners|metric\..*_curve)$/;

it.each([
  ['testdata/clip-tiny', 'outputs', COSINES, 1, 1],
  ['testdata/clip-tiny', 'attributions', COSINES, 1, 8],
  ['testdata/clip-tiny', 'outputs', /^train\.loss$/, 1, 1],
])('%s, %s: a cosine, and what is made of cosines, is held against one, a loss against a nat', async (model, file, names, scale, least) => {
  const within = await shifted(model, file, names, 0.9e-5 * scale);
  expect(within.length).toBeGreaterThanOrEqual(least);
  expect(within.filter(row => !row.ok || row.scale < scale)).toEqual([]);
  // Every coalition is listed again for these: once is enough.
  if (file === 'attributions') return;
  const beyond = await shifted(model, file, names, 1.5e-5 * Math.max(...within.map(row => row.scale)));
  expect(beyond.filter(row => row.ok)).toEqual([]);
});

it('logits are held against their scale, which random embeddings do not reach', async () => {
  for (const model of ['testdata/clip-tiny', 'siglip/testdata/siglip-tiny']) {
    await using loaded = await loadModel(join(models, model));
    const scale = await loaded.logitScale();
    const names = /^logits_per_(image|text)$/;
    const within = await shifted(model, 'outputs', names, 0.8e-5 * scale);
    expect(within.map(row => [row.ok, row.scale >= scale])).toEqual(within.map(() => [true, true]));
    expect(within.length).toBeGreaterThan(0);
    const beyond = await shifted(model, 'outputs', names, 1.3e-5 * Math.max(...within.map(row => row.scale)));
    expect(beyond.filter(row => row.ok)).toEqual([]);
  }
});
