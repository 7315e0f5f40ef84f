import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readTensor } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { printReport } from '../print.ts';
import { type LlavaSubject, openSubject } from './subject.ts';
import { verifyLlava } from './verify-llava.ts';

const tiny = fileURLToPath(new URL('../../models/llava/testdata/llava-tiny', import.meta.url));
const vittle = fileURLToPath(new URL('../../bottleneck/gaussian/testdata/vittle.safetensors', import.meta.url));
const OUTPUTS = join(tiny, 'outputs.safetensors');
let root: string;
let model: LlavaSubject;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-verify-llava-'));
  model = await openSubject({ directory: tiny, name: 'llava-tiny' });
});
afterAll(async () => {
  await model.llava.release();
  await rm(root, { recursive: true });
});

/** A changed copy of a reference, in a folder of its own. */
async function changed(source: string, folder: string, change: (tensors: Map<string, Tensor>) => void): Promise<string> {
  const { tensors, metadata } = await openSafetensors(source);
  const all = new Map<string, Tensor>();
  for (const [name, entry] of tensors) all.set(name, await readTensor(entry));
  change(all);
  await mkdir(join(root, folder), { recursive: true });
  const path = join(root, folder, 'reference.safetensors');
  await writeSafetensors(path, all, metadata);
  return path;
}

const nudge = (tensors: Map<string, Tensor>, name: string, by: number): void => {
  const data = tensors.get(name)!.data as Float32Array;
  data[data.length - 1] += by;
};

describe('narrows verify on a LLaVA', () => {
  it('agrees with transformers: forward pass, every gradient, greedy tokens', async () => {
    const report = await verifyLlava({ model, referencePath: OUTPUTS });
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report.unverified).toEqual([]);
    expect([...report.inputs].sort()).toEqual(['attention_mask', 'generate.prompt', 'input_ids', 'labels', 'pixel_values']);
    const names = report.rows.map(row => row.name);
    expect(names).toEqual(expect.arrayContaining(['logits', 'loss', 'hidden_states.4', 'image_features', 'generate.output']));
    expect(names.filter(name => name.startsWith('grad.model.vision_tower')).length).toBeGreaterThan(20);
    expect(printReport(report)).toMatch(/grad\.\* \(worst of \d+\)/);
  });

  it('finds where the error begins, and lists what it cannot know', async () => {
    const path = await changed(OUTPUTS, 'forward', tensors => {
      for (const name of tensors.keys()) if (name.startsWith('grad.') || name.startsWith('generate.')) tensors.delete(name);
      nudge(tensors, 'logits', 1e-2);
      nudge(tensors, 'hidden_states.2', 1e-2);
      tensors.set('hidden_states.9', tensors.get('hidden_states.4')!);
      tensors.set('attentions.0', tensors.get('hidden_states.4')!);
    });
    const report = await verifyLlava({ model, referencePath: path });
    expect([report.ok, report.firstDeparture]).toEqual([false, 'hidden_states.2']);
    expect(report.unverified).toEqual([
      { name: 'attentions.0', reason: 'Narrows does not know this name' },
      { name: 'hidden_states.9', reason: 'the model has 4 decoder blocks and no "hidden_states.9"' },
    ]);
  });

  it("agrees with PyTorch's Vittle: bottleneck, KL, gradients, evaluation, three AdamW steps", async () => {
    const start = join(tiny, 'vittle-start.safetensors');
    const report = await verifyLlava({ model: { ...model, startPath: start }, referencePath: vittle, inputsPath: OUTPUTS });
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report.unverified.map(({ reason }) => reason)).toEqual(Array(4).fill('the prior is fixed, and has no gradient'));
    const names = report.rows.map(row => row.name);
    expect(names).toEqual(
      expect.arrayContaining(['h_out', 'kl_v', 'kl_t_half', 'total', 'logits.eval', 'adamw.loss_and_gradnorm', 'bottleneck_v.fc2.weight']),
    );
    expect(names.filter(name => name.startsWith('grad.')).length).toBe(51);
    expect(report.inputs).toEqual(['noise']);
  });

  it('says that the weights of before are needed, and finds them and the inputs next to the reference', async () => {
    const referencePath = await changed(vittle, 'beside', tensors => {
      for (const name of tensors.keys()) if (name.startsWith('grad.')) tensors.delete(name);
      nudge(tensors, 'kl_t', 1e-2);
    });
    await expect(verifyLlava({ model, referencePath, inputsPath: OUTPUTS })).rejects.toThrow(
      /are those behind its AdamW steps; give those of before with --bottleneck FILE/,
    );
    await copyFile(OUTPUTS, join(root, 'beside', 'outputs.safetensors'));
    await copyFile(join(tiny, 'vittle-start.safetensors'), join(root, 'beside', 'vittle-start.safetensors'));
    const report = await verifyLlava({ model, referencePath });
    expect([report.firstDeparture, report.counts.failed]).toEqual(['kl_t', 1]);
    // A file of one without steps holds its own weights.
    const plain = await changed(vittle, 'plain', tensors => {
      for (const name of tensors.keys())
        if (!['noise', 'h_in', 'h_out'].includes(name) && !name.startsWith('bottleneck_')) tensors.delete(name);
    });
    const withInputs = await verifyLlava({ model, referencePath: plain, inputsPath: OUTPUTS });
    expect(withInputs.rows.map(row => [row.name, row.ok])).toEqual([
      ['h_in', true],
      ['h_out', false],
    ]);
    expect(withInputs.inputs.length).toBe(13);
  });
});
