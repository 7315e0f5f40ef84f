import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Modality } from '../../models/dual-encoder.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { expectClose } from '../../testing/close.ts';
import { attributionInputs } from '../../verify/attribution-inputs.ts';
import { attributionGradientsChecker } from '../../verify/checkers/attribution-gradients.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { explainTensors, type TensorPairs, tensorRun } from '../../verify/tensor-run.ts';
import { verifyReference } from '../../verify/verify.ts';
import type { TokenMap } from '../method.ts';
import { patchSums, sourceMap } from '../primitives/read-out.ts';
import { findMethod } from '../registry.ts';

/** See src/models/testdata/README.md: captum 0.9.0, pytorch-grad-cam 1.5.7. */
const directory = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
const referencePath = `${directory}/attributions.safetensors`;

let model: CLIPModel;
let golden: ReferenceFile;
let pair: TensorPairs;
beforeAll(async () => {
  model = await CLIPModel.fromPretrained(directory);
  golden = await ReferenceFile.open(referencePath);
  pair = (await attributionInputs({ model, reference: golden })) as TensorPairs;
});
afterAll(() => model.release());

it('narrows verify: every gradient attribution equals captum and pytorch-grad-cam, element by element', async () => {
  const checkers = [attributionGradientsChecker];
  const report = await verifyReference({ model, referencePath, checkers });
  expect(report.rows.map(r => [r.name, r.ok]).filter(([, ok]) => !ok)).toEqual([]);
  expect(report.rows.length).toBe(14);
  // A hundred times closer than asked.
  for (const row of report.rows) expect(row.relativeError, row.name).toBeLessThan(5e-5);
  const given = await verifyReference({ model, referencePath, checkers, inputsPath: `${directory}/outputs.safetensors` });
  expect(given.rows).toEqual(report.rows);
  await expect(verifyReference({ model, referencePath, checkers, inputsPath: referencePath })).rejects.toThrow(
    /attributions.safetensors, given as --inputs, has no pixel_values/,
  );
});

async function map(name: string, modality: Modality, options: Record<string, unknown> = {}): Promise<TokenMap> {
  return (await explainTensors(model, findMethod(name)!, pair, { options, wanted: [modality] }))[modality]![0];
}

/** 1e-4 of the largest entry. */
const close = (actual: ArrayLike<number>, expected: Float32Array, label: string): void =>
  expectClose(actual, expected, { rtol: 0, atol: 1e-4 * Math.max(...expected.map(Math.abs)), label });

describe('methods of the registry', () => {
  it.each([
    ['saliency', 'image.saliency', 'max'],
    ['saliency', 'image.saliency', 'abs'],
    ['input-x-gradient', 'image.input_x_gradient', 'sum'],
    ['integrated-gradients', 'image.integrated_gradients', 'sum'],
  ] as const)('%s is %s, one value per pixel (%s of channels) and their sums per patch', async (name, tensor, rule) => {
    const { pixels, tokens } = await map(name, 'image', name === 'saliency' ? { channels: rule } : {});
    const run = await tensorRun(model, pair, { image: -1, text: -1 });
    const expected = sourceMap(run.image, (await golden.floats(tensor)).data, rule);
    close(pixels!, expected.pixels!, 'pixels');
    close(tokens, expected.tokens, 'tokens');
    expect(tokens[0]).toBe(0);
    // The second patch of the first row: columns 8 to 15 of rows 0 to 7.
    const second = Array.from({ length: 64 }, (_, i) => expected.pixels![Math.floor(i / 8) * 32 + 8 + (i % 8)]);
    expect(patchSums(run.image, pixels!)[2]).toBeCloseTo(
      second.reduce((a, b) => a + b, 0),
      4,
    );
  });

  it.each([
    ['saliency', 'text.saliency', 'abs'],
    ['saliency', 'text.saliency', 'max'],
    ['saliency', 'text.saliency', 'norm'],
    ['integrated-gradients', 'text.integrated_gradients', 'sum'],
  ] as const)('%s is %s (%s of channels), a value per token', async (name, tensor, rule) => {
    const { data } = await golden.floats(tensor);
    const { tokens, pixels } = await map(name, 'text', name === 'saliency' ? { textChannels: rule } : {});
    const expected = Float32Array.from({ length: 6 }, (_, n) => {
      const perChannel = data.subarray(n * 24, (n + 1) * 24);
      if (rule === 'sum') return perChannel.reduce((a, b) => a + b, 0);
      return rule === 'norm'
        ? Math.hypot(...perChannel)
        : rule === 'max'
          ? Math.max(...perChannel.map(Math.abs))
          : perChannel.reduce((a, b) => a + Math.abs(b), 0);
    });
    close(tokens, expected, tensor);
    expect(pixels).toBeUndefined();
  });

  it('carry the convergence delta', async () => {
    for (const modality of ['image', 'text'] as const) {
      const [expected] = (await golden.floats(`${modality}.integrated_gradients.delta`)).data;
      expect((await map('integrated-gradients', modality)).convergenceDelta).toBeCloseTo(expected, 5);
    }
  });

  it('nib and layer integrated gradients name the block whose output the reference calls an input', async () => {
    const layer = golden.setting('vision_layer')! - 1;
    close((await map('nib', 'image', { layer })).tokens, (await golden.floats('image.nib')).data, 'nib');
    const { shape, data } = await golden.floats('image.layer_integrated_gradients');
    const expected = Float32Array.from({ length: shape[1] }, (_, n) =>
      data.subarray(n * shape[2], (n + 1) * shape[2]).reduce((a, b) => a + b, 0),
    );
    close((await map('layer-integrated-gradients', 'image', { layer })).tokens, expected, 'layer integrated gradients');
    // Nib is the other one with its own rule and baseline.
    const same = { layer, rule: 'right-riemann', nSteps: 10, baseline: 'zero' };
    expect((await map('layer-integrated-gradients', 'image', same)).tokens).toEqual((await map('nib', 'image', { layer })).tokens);
  });

  it.each([
    ['grad-cam', 'GradCAM'],
    ['hires-cam', 'HiResCAM'],
    ['layer-cam', 'LayerCAM'],
    ['xgrad-cam', 'XGradCAM'],
    ['grad-cam-plus-plus', 'GradCAMPlusPlus'],
  ])('%s is %s, signs kept, and with relu as published', async (name, tensor) => {
    const { data } = await golden.floats(`image.${tensor}`);
    close((await map(name, 'image')).tokens.subarray(1), data, tensor);
    close(
      (await map(name, 'image', { relu: true })).tokens.subarray(1),
      data.map(v => Math.max(0, v)),
      tensor,
    );
    expect(Math.min(...data)).toBeLessThan(0);
  });
});
