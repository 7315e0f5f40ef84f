/** @file `narrows verify` on SigLIP: every tensor that PyTorch gave, where a changed weight shows, and what is not for this model. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { loadModel } from '../models/pretrained.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { type VerifyReport, verifyReference } from './verify.ts';

const testdata = (name: string): string => fileURLToPath(new URL(`../models/siglip/testdata/${name}`, import.meta.url));
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-verify-siglip-'));
});
afterAll(() => rm(root, { recursive: true }));

async function verify(directory: string, referencePath = join(directory, 'outputs.safetensors')): Promise<VerifyReport> {
  await using model = await loadModel(directory);
  return verifyReference({ model, referencePath });
}

/** A copy of a safetensors file with changed tensors. */
async function changed(from: string, to: string, change: (tensors: Map<string, Tensor>) => void): Promise<string> {
  const { tensors, metadata } = await openSafetensors(from);
  const all = new Map<string, Tensor>();
  for (const [name, entry] of tensors) all.set(name, await readTensor(entry));
  change(all);
  await writeSafetensors(to, all, metadata);
  return to;
}

it.each([
  ['siglip-tiny', 16, 2],
  ['siglip-tiny-b', 40, 4],
])('agrees with PyTorch on every tensor of %s', async (name, passed, inputs) => {
  const report = await verify(testdata(name));
  expect(report.rows.filter(row => !row.ok)).toEqual([]);
  expect(report).toMatchObject({ ok: true, counts: { passed, failed: 0, inputs, unverified: 0 } });
  expect(report.rows.filter(row => row.absoluteError > 0).length).toBeGreaterThan(passed / 2);
});

it.each([
  ['vision_model.embeddings.patch_embedding.bias', 'vision.hidden_states.0'],
  ['vision_model.head.probe', 'vision.pooler_output'],
  ['vision_model.post_layernorm.bias', 'vision.pooler_output'],
  ['text_model.head.bias', 'text.pooler_output'],
  ['logit_bias', 'logits_per_image'],
])('finds where a model with another %s departs', async (weight, first) => {
  const directory = join(root, weight);
  await cp(testdata('siglip-tiny-b'), directory, { recursive: true });
  await changed(join(testdata('siglip-tiny-b'), 'model.safetensors'), join(directory, 'model.safetensors'), tensors => {
    (tensors.get(weight)!.data as Float32Array)[0] += 0.05;
  });
  const report = await verify(directory);
  expect(report.ok).toBe(false);
  expect(report.firstDeparture).toBe(first);
});

it("lists training gradients and the official M2IB as not for this model, and says so of CLIP's attentions beyond it", async () => {
  const name = 'siglip-tiny';
  const path = await changed(join(testdata(name), 'outputs.safetensors'), join(root, 'more.safetensors'), tensors => {
    for (const extra of ['train.loss', 'train.grad.logit_bias', 'vision.0.alpha', 'vision.attentions.9'])
      tensors.set(extra, floats([1], [1]));
  });
  const report = await verify(testdata(name), path);
  expect(report.ok).toBe(true);
  expect(Object.fromEntries(report.unverified.map(u => [u.name, u.reason]))).toEqual({
    'train.loss': 'training is not for this model, only for CLIP',
    'train.grad.logit_bias': 'training is not for this model, only for CLIP',
    'vision.0.alpha': 'the official M2IB is not for this model, only for CLIP',
    'vision.attentions.9': 'the model has 4 image and 3 text blocks and no "vision.attentions.9"',
  });
});
