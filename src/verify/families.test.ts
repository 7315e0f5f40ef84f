/** @file `narrows verify` on every layout of an image–text model: all values and gradients are those of the family's own program. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { loadModel } from '../models/pretrained.ts';
import { FAMILIES, familyDirectory } from '../models/testing/families.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type VerifyReport, verifyReference } from './verify.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-verify-families-'));
});
afterAll(() => rm(root, { recursive: true }));

async function verify(directory: string): Promise<VerifyReport> {
  await using model = await loadModel(directory);
  return verifyReference({ model, referencePath: join(directory, 'outputs.safetensors') });
}

it.each(FAMILIES)('agrees with its own program on every value and gradient: %s', async name => {
  const report = await verify(familyDirectory(name));
  expect(report.rows.filter(row => !row.ok)).toEqual([]);
  expect(report).toMatchObject({ ok: true, counts: { failed: 0, unverified: 0 } });
  expect(report.counts.passed).toBeGreaterThanOrEqual(20);
  expect(report.rows.filter(row => row.absoluteError > 0).length).toBeGreaterThan(report.counts.passed / 2);
});

/** A weight of each kind of place: a part of a joint matrix, a turned matrix, a gain; and what departs first. */
it.each([
  ['openclip/testdata/openclip-plain', 'transformer.resblocks.1.attn.in_proj_weight', 24 * 24 + 1, 'text.hidden_states.2'],
  ['openclip/testdata/openclip-plain', 'visual.proj', 7, 'image_embeds'],
  ['openclip/testdata/openclip-biomed', 'text.proj.2.weight', 0, 'text_embeds'],
  ['openclip/testdata/openclip-biomed', 'text.transformer.encoder.layer.0.output.LayerNorm.bias', 0, 'text.hidden_states.1'],
  ['openclip/testdata/openclip-gap', 'visual.trunk.blocks.2.ls2.gamma', 3, 'vision.hidden_states.3'],
  ['openclip/testdata/openclip-siglip', 'visual.trunk.attn_pool.kv.bias', 30, 'vision.pooler_output'],
])('finds where a %s with another %s departs', async (name, weight, at, first) => {
  const directory = join(root, `${weight}`);
  await cp(familyDirectory(name), directory, { recursive: true });
  const file = 'open_clip_model.safetensors';
  const { tensors } = await openSafetensors(join(directory, file));
  const all = new Map<string, Tensor>();
  for (const [key, entry] of tensors) all.set(key, await readTensor(entry));
  (all.get(weight)!.data as Float32Array)[at] += 0.3;
  await writeSafetensors(join(directory, file), all, { format: 'pt' });
  const report = await verify(directory);
  expect(report.ok).toBe(false);
  expect(report.firstDeparture).toBe(first);
});
