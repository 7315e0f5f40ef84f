/** @file Two towers that were saved apart become a CLIP that gives what each gave by itself. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readFloats, readTensor } from '../checkpoints/safetensors.ts';
import { floats } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { joinTowers } from './join-towers.ts';
import { loadModel } from './pretrained.ts';

const towers = fileURLToPath(new URL('./testdata/clip-towers', import.meta.url));
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-towers-'));
});
afterAll(() => rm(root, { recursive: true }));

it('gives the embeddings of both towers, and says what it had to suppose', async () => {
  const warnings: string[] = [];
  const output = join(root, 'clip');
  await joinTowers({ vision: `${towers}/image`, text: `${towers}/text`, output, onWarning: w => warnings.push(w) });
  expect(warnings).toEqual([expect.stringContaining('hold no logit_scale; ln 100 is written')]);
  await using model = await loadModel(output);
  const { tensors } = await openSafetensors(`${towers}/values.safetensors`);
  const read = async (name: string) => floats(tensors.get(name)!.shape, await readFloats(tensors.get(name)!));
  expectClose((await model.imageFeatures(await read('pixel_values'))).data, (await read('image_features')).data, { atol: 1e-5 });
  expectClose((await model.textFeatures(await readTensor(tensors.get('input_ids')!))).data, (await read('text_features')).data, {
    atol: 1e-5,
  });
  expect(await model.logitScale()).toBeCloseTo(100, 4);
  expect(model.processor.config.crop_size).toEqual({ height: 24, width: 24 });
});

it('refuses towers that are exchanged or of another space, in a sentence', async () => {
  const output = join(root, 'none');
  await expect(joinTowers({ vision: `${towers}/text`, text: `${towers}/image`, output })).rejects.toThrow('not "clip_vision_model"');
  const other = join(root, 'other');
  await cp(`${towers}/text`, other, { recursive: true });
  const config = JSON.parse(await readFile(join(other, 'config.json'), 'utf8'));
  await writeFile(join(other, 'config.json'), JSON.stringify({ ...config, projection_dim: 8 }));
  await expect(joinTowers({ vision: `${towers}/image`, text: other, output })).rejects.toThrow('do not belong together');
  await expect(loadModel(`${towers}/image`)).rejects.toThrow('one tower of a CLIP by itself; join both with: narrows models convert');
});
