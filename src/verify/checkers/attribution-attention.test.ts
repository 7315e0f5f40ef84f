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

const tiny = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const maps = fileURLToPath(new URL('../../attribution/methods/testdata/attention-clip-tiny.safetensors', import.meta.url));

/** Name among attributions, and in the file of maps over all tokens. */
const NAMES = {
  'image.chefer_all_layers': 'chefer_all',
  'image.chefer_last_layer': 'chefer_last',
  'image.rollout': 'rollout_mean',
  'image.raw_attention': 'raw_attention',
};

let root: string;
let model: CLIPModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-attention-'));
  model = await CLIPModel.fromPretrained(tiny);
});
afterAll(async () => {
  await model.release();
  await rm(root, { recursive: true });
});

/** A reference file of patches, as attribution files have them. */
async function reference(pair: number, change: (values: Map<string, FloatTensor>) => void = () => {}): Promise<string> {
  const file = await ReferenceFile.open(maps);
  const tensors = new Map<string, FloatTensor>();
  for (const [name, stored] of Object.entries(NAMES)) {
    const { data } = await file.floats(`image.${pair}.${stored}`);
    tensors.set(name, floats([data.length - 1], data.slice(1)));
  }
  change(tensors);
  const path = join(root, 'attributions.safetensors');
  await writeSafetensors(path, tensors, { settings: JSON.stringify({ pair }) });
  return path;
}

const verify = async (path: string, inputsPath: string | undefined = join(tiny, 'outputs.safetensors')): Promise<VerifyReport> =>
  verifyReference({ model, referencePath: path, inputsPath });

describe('attributions from attention in narrows verify', () => {
  it.each([0, 1, 2])('agree for pair %i', async pair => {
    const report = await verify(await reference(pair));
    expect(report.rows.map(r => [r.name, r.ok, r.tolerance])).toEqual([
      ['image.chefer_all_layers', true, 1e-4],
      ['image.chefer_last_layer', true, 1e-4],
      ['image.raw_attention', true, 1e-5],
      ['image.rollout', true, 1e-5],
    ]);
    expect(report.unverified).toEqual([]);
  });

  it('depart where one patch does', async () => {
    const path = await reference(0, values => {
      values.get('image.rollout')!.data[3] *= 1.001;
    });
    const report = await verify(path);
    expect([report.ok, report.firstDeparture]).toEqual([false, 'image.rollout']);
    expect(report.rows.find(r => r.name === 'image.rollout')!.note).toMatch(/^1 of 16 beyond; at \[3\]/);
  });

  it('need the pair that they were made from', async () => {
    const path = await reference(0);
    await expect(verifyReference({ model, referencePath: path })).rejects.toThrow(
      /Nothing in .* could be checked \(image\..*: the file has no pixel_values, and outputs.safetensors next to it does not help/,
    );
  });
});
