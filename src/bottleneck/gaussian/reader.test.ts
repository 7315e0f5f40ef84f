/** What docs/examples/vittle_reader.py computes with a checkpoint of ours in PyTorch, and what we compute with it. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { openSafetensors, readConfig } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { directoryOf, expectNear, golden } from '../../models/llava/testing/goldens.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats, type Tensor } from '../../tensor/tensor.ts';
import { loadBottleneckLlava } from './pretrained.ts';

const runtime = nodeRuntime({ threads: 1 });
const TINY = directoryOf('llava-tiny');
afterAll(() => runtime.release());

/** llava-tiny with the golden bottleneck at block 2 and, the same weights, after the projector. */
async function checkpoint(root: string, settings: { bottleneck_layers: number[]; modalities?: string[] }): Promise<void> {
  await writeFile(join(root, 'config.json'), JSON.stringify({ ...(await readConfig(TINY)), bottleneck_config: settings }));
  await copyFile(join(TINY, 'model.safetensors'), join(root, 'model.safetensors'));
  const weights: Record<string, Tensor> = {};
  const { tensors } = await openSafetensors(join(TINY, 'vittle-start.safetensors'));
  for (const [name, entry] of tensors) {
    const modality = name.startsWith('bottleneck_v') ? 'visual' : 'text';
    if (name.includes('prior')) continue;
    for (const layer of settings.bottleneck_layers)
      weights[name.replace(/^bottleneck_[vt]/, `bottleneck.${layer}.${modality}`)] = floats(entry.shape, await readFloats(entry));
  }
  await writeSafetensors(join(root, 'bottleneck.safetensors'), weights);
}

it.each([
  ['mask', 'right', { bottleneck_layers: [2] }],
  ['index_split', 'left', { bottleneck_layers: [2], index_split: true, alpha_inference: 0.8 }],
  ['projector_visual', 'left', { bottleneck_layers: [-1, 2], modalities: ['visual'] }],
  ['pass', 'right', { bottleneck_layers: [2], bottleneck_init: 'pass', stream_scale: [{ visual: 0.5, text: 2 }] }],
  ['noise', 'right', { bottleneck_layers: [2], control: 'noise' }],
])('%s, padded on the %s: the same logits', async (name, side, settings) => {
  const root = await mkdtemp(join(tmpdir(), 'narrows-reader-'));
  try {
    await checkpoint(root, settings);
    const outputs = await golden('llava-tiny');
    const { tensors } = await openSafetensors(fileURLToPath(new URL('testdata/reader.safetensors', import.meta.url)));
    const given = (key: string): Promise<Tensor> => (side === 'left' ? readTensor(tensors.get(`left.${key}`)!) : outputs.raw(key));
    const attentionMask = await given('attention_mask');
    await using model = await loadBottleneckLlava(root, { runtime });
    const { logits } = await model.forward({
      inputIds: await given('input_ids'),
      attentionMask,
      pixelValues: await outputs.floats('pixel_values'),
    });
    const entry = tensors.get(name)!;
    const shown = Array.from(attentionMask.data, Number);
    expect(shown).toContain(0);
    expectNear(logits, floats(entry.shape, await readFloats(entry)), 1e-5, name, shown);
  } finally {
    await rm(root, { recursive: true });
  }
});
