/** @file Occlusion and exact games in `narrows verify`: brute-force goldens agree, a changed value or player map is found. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { ReferenceFile } from '../reference.ts';
import { type VerifyReport, verifyReference } from '../verify.ts';

const tiny = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const MINE = /^(image\.occlusion_patches|exact\.)/;

let root: string;
let model: CLIPModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-games-'));
  model = await CLIPModel.fromPretrained(tiny);
});
afterAll(async () => {
  await model.release();
  await rm(root, { recursive: true });
});

/** The goldens of games alone, changed. */
async function verify(change: (values: Map<string, Tensor>) => void = () => {}): Promise<VerifyReport> {
  const file = await ReferenceFile.open(join(tiny, 'attributions.safetensors'));
  const tensors = new Map<string, Tensor>();
  for (const name of file.entries.keys())
    if (MINE.test(name)) tensors.set(name, name === 'exact.player_mask' ? await file.integers(name) : await file.floats(name));
  change(tensors);
  const path = join(root, 'attributions.safetensors');
  await writeSafetensors(path, tensors, { settings: JSON.stringify({ pair: 0 }) });
  return verifyReference({ model, referencePath: path, inputsPath: join(tiny, 'outputs.safetensors') });
}

const keepOnly =
  (...names: string[]) =>
  (values: Map<string, Tensor>): void => {
    for (const name of [...values.keys()]) if (!names.includes(name)) values.delete(name);
  };

describe('games in narrows verify', () => {
  it('agree with brute force to 1e-5, for patches, words and both', async () => {
    const report = await verify();
    expect(report.rows.map(r => [r.name, r.ok, r.tolerance])).toEqual(
      [
        ...['image', 'joint', 'text'].flatMap(side => ['banzhaf', 'banzhaf_pairs', 'shapley'].map(what => `exact.${side}.${what}`)),
        'exact.values.corners',
        'image.occlusion_patches',
      ].map(name => [name, true, 1e-5]),
    );
    expect(report.inputs).toEqual(['exact.player_mask']);
    expect(report.unverified).toEqual([]);
  });

  it('depart where one value does', async () => {
    const report = await verify(values => {
      keepOnly('exact.text.shapley', 'exact.text.banzhaf')(values);
      (values.get('exact.text.shapley')!.data as Float32Array)[2] *= 1.001;
    });
    expect(report.rows.map(r => [r.name, r.ok])).toEqual([
      ['exact.text.banzhaf', true],
      ['exact.text.shapley', false],
    ]);
  });

  it('read blocks of patches from the player map, and say what is wrong with one', async () => {
    const four = Int32Array.from({ length: 1024 }, (_, at) => 2 * +(at >= 512) + +(at % 32 >= 16));
    const report = await verify(values => {
      keepOnly('exact.values.corners')(values);
      values.set('exact.player_mask', ints([32, 32], four));
      values.set('exact.image.shapley', floats([4], [1, 1, 1, 1]));
    });
    // Corners do not depend on who plays; the values do, and are 4 now.
    expect(report.rows.map(r => [r.name, r.ok])).toEqual(
      expect.arrayContaining([
        ['exact.values.corners', true],
        ['exact.image.shapley', false],
      ]),
    );
    const gaps = await verify(values => {
      keepOnly('exact.values.corners', 'image.occlusion_patches')(values);
      values.set(
        'exact.player_mask',
        ints(
          [32, 32],
          four.map(v => v * 2),
        ),
      );
    });
    expect(gaps.unverified).toEqual([
      { name: 'exact.values.corners', reason: 'exact.player_mask does not number its players from 0 without gaps' },
    ]);
  });
});
