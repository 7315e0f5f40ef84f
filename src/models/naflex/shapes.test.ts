/** @file Pictures of several shapes through a NaFlex model: each by itself, and together. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMethod, findMethod } from '../../attribution/registry.ts';
import { resampleBilinear } from '../../inputs/image/bilinear.ts';
import { expectClose } from '../../testing/close.ts';
import type { DualEncoderModel } from '../dual-encoder-model.ts';
import { loadModel } from '../pretrained.ts';
import { familyDirectory, recordedPictures } from '../testing/families.ts';

const NAME = 'naflex/testdata/naflex-tiny';
let model: DualEncoderModel;
beforeAll(async () => {
  model = await loadModel(familyDirectory(NAME));
});
afterAll(() => model.release());

it('explains pairs of several shapes together as it explains each, in their order', async () => {
  const pictures = (await recordedPictures(familyDirectory(NAME))).map(p => p.image);
  const pairs = pictures.map(image => ({ image, text: 'right pleural effusion' }));
  await using method = createMethod(findMethod('saliency')!, model, {});
  const together = await method.attributeAll(pairs);
  const grids = together.map(r => r.image!.grid.join('x'));
  expect(new Set(grids).size).toBeGreaterThan(1);
  for (const [i, pair] of pairs.entries()) {
    const [alone] = await method.attributeAll([pair]);
    expect(together[i].image!.grid).toEqual(alone.image!.grid);
    expectClose(together[i].image!.patches, alone.image!.patches, { rtol: 1e-4, atol: 1e-6, label: `picture ${i}` });
    // The whole picture is seen, whatever its shape.
    expect(together[i].image!.view).toMatchObject({ left: 0, top: 0, width: pair.image.width, height: pair.image.height });
  }
});

it('resamples positions by a widened triangle: constants stay, and halving a ramp averages four neighbours of it', () => {
  const flat = resampleBilinear(new Float32Array(16).fill(3), 4, 4, 1, 7, 2);
  for (const v of flat) expect(v).toBeCloseTo(3, 6);
  // Scale 2: weights of the positions 0…3 around 0.5 + … by hand: (0.75, 0.75, 0.25) / 1.75 at the border, (0.25, 0.75, 0.75, 0.25) / 2 inside.
  const ramp = resampleBilinear(Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]), 1, 8, 1, 1, 4);
  expect(ramp[0]).toBeCloseTo((0.75 * 0 + 0.75 * 1 + 0.25 * 2) / 1.75, 6);
  expect(ramp[1]).toBeCloseTo((0.25 * 1 + 0.75 * 2 + 0.75 * 3 + 0.25 * 4) / 2, 6);
});
