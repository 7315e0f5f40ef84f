/** @file Curves of removal in `narrows verify`: the goldens agree, a changed value or order is found. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../checkpoints/write.ts';
import { CLIPModel } from '../../../models/clip/model.ts';
import { type FloatTensor, floats } from '../../../tensor/tensor.ts';
import { ReferenceFile } from '../reference.ts';
import { type VerifyReport, verifyReference } from '../verify.ts';

const tiny = fileURLToPath(new URL('../../../models/testdata/clip-tiny', import.meta.url));
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

/** The goldens of metrics and the map they follow, changed. Without a vision layer `image.nib` itself stays unchecked. */
async function verify(change: (values: Map<string, FloatTensor>) => void = () => {}): Promise<VerifyReport> {
  const file = await ReferenceFile.open(join(tiny, 'attributions.safetensors'));
  const tensors = new Map<string, FloatTensor>();
  for (const name of [...CURVES, 'metric.map', 'metric.mask', 'image.nib']) tensors.set(name, await file.floats(name));
  change(tensors);
  const path = join(root, 'attributions.safetensors');
  await writeSafetensors(path, tensors, { settings: JSON.stringify({ pair: 0 }) });
  return verifyReference({ model, referencePath: path, inputsPath: join(tiny, 'outputs.safetensors') });
}

const rowsOf = (report: VerifyReport): unknown[] => report.rows.filter(r => CURVES.includes(r.name)).map(r => [r.name, r.ok, r.tolerance]);

describe('curves of removal in narrows verify', () => {
  it('agree with the golden ones; the map and the mask are inputs', async () => {
    const report = await verify();
    expect(rowsOf(report)).toEqual(CURVES.map(name => [name, true, 1e-5]));
    expect(report.inputs).toEqual(expect.arrayContaining(['metric.map', 'metric.mask']));
  });

  it('depart where one value does, and where the order is another', async () => {
    const one = await verify(values => {
      values.get('metric.insertion_curve')!.data[3] *= 1.001;
    });
    expect(rowsOf(one)).toEqual([
      ['metric.deletion_curve', true, 1e-5],
      ['metric.insertion_curve', false, 1e-5],
    ]);
    const turned = await verify(values => {
      const { shape, data } = values.get('image.nib')!;
      values.set(
        'image.nib',
        floats(
          shape,
          data.map(v => -v),
        ),
      );
    });
    expect(rowsOf(turned)).toEqual(CURVES.map(name => [name, false, 1e-5]));
  });

  it('say what they lack', async () => {
    const short = await verify(values => {
      values.set('metric.deletion_curve', floats([17], values.get('metric.deletion_curve')!.data));
      values.set('image.nib', floats([3], [1, 2, 3]));
      values.set('image.occlusion_patches', floats([16], new Float32Array(16)));
    });
    expect(short.unverified).toEqual(
      expect.arrayContaining(CURVES.map(name => ({ name, reason: 'image.nib is [3], not one value for each of the 17 tokens' }))),
    );
    const missing = await verify(values => {
      values.delete('image.nib');
      values.set('image.occlusion_patches', floats([16], new Float32Array(16)));
    });
    expect(missing.unverified).toEqual(
      expect.arrayContaining(CURVES.map(name => ({ name, reason: 'the file has no image.nib, whose order the curves follow' }))),
    );
  });
});
