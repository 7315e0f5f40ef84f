import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import { loadModel } from '../../models/pretrained.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { explainTensors, type TensorPairs, tensorRun } from '../../verify/tensor-run.ts';
import { camGradients, camMap, camState } from '../primitives/cam.ts';
import { methods } from '../registry.ts';
import { row } from '../rows.ts';
import { hiresCamWeights } from './hires-cam.ts';
import { sourceGradients } from './saliency.ts';

/** No class token, a head that pools by attention, texts filled up to 12 tokens without a mask. See src/models/siglip/testdata. */
const directory = fileURLToPath(new URL('../../models/siglip/testdata/siglip-tiny', import.meta.url));
const PAD = 1;
const special = (id: number): boolean => id === PAD;

let model: DualEncoderModel;
let outputs: ReferenceFile;
let pairs: TensorPairs;
beforeAll(async () => {
  model = await loadModel(directory);
  outputs = await ReferenceFile.open(`${directory}/outputs.safetensors`);
  pairs = { pixelValues: await outputs.floats('pixel_values'), inputIds: await outputs.integers('input_ids') };
});
afterAll(() => model.release());

const first = (): TensorPairs => ({
  pixelValues: floats([1, ...pairs.pixelValues.shape.slice(1)], row(pairs.pixelValues, 0)),
  inputIds: { ...pairs.inputIds, shape: [1, 12], data: pairs.inputIds.data.subarray(0, 12) },
});

it('the gradient at the pixels is the one of PyTorch', async () => {
  const run = await tensorRun(model, first(), { image: -1, text: -1 }, { special });
  const { gradients } = await sourceGradients(run, run.image);
  const expected = await outputs.floats('grad.pixel_values');
  expectClose(gradients.data, expected.data, { rtol: 0, atol: 1e-4 * Math.max(...expected.data.map(Math.abs)) });
  expect(run.image.scores[0]).toBeCloseTo((await outputs.floats('grad.cosine')).data[0], 5);
  await run.release();
});

const OWN = methods.filter(m => ['gradient', 'layer-gradient', 'control'].includes(m.family));

describe.each(OWN)('$name', entry => {
  it('maps every patch and word, the same in a batch as one by one', async () => {
    const options = {
      ...('nSamples' in entry.schema.shape ? { nSamples: 8 } : {}),
      ...('nSteps' in entry.schema.shape ? { nSteps: 30 } : {}),
    };
    const together = await explainTensors(model, entry, pairs, { options, special });
    const separate = await explainTensors(model, entry, first(), { options, special });
    for (const m of entry.modalities) {
      const [map, single] = [together[m]![0], separate[m]![0]];
      expect(map.tokens.length).toBe(m === 'image' ? model.image.grid!(32, 32).reduce((a, b) => a * b, 1) : 12);
      expect([...map.tokens].every(Number.isFinite)).toBe(true);
      expect(map.tokens.some(v => v !== 0)).toBe(true);
      expectClose(map.tokens, single.tokens, { rtol: 0, atol: 1e-4 * Math.max(...single.tokens.map(Math.abs)), label: m });
      if (entry.name === 'integrated-gradients' || entry.name === 'layer-integrated-gradients')
        expect(Math.abs(map.convergenceDelta!)).toBeLessThan(1e-3);
    }
  });
});

it('class activation maps of the image look at what the head reads; at the last output behind no norm they would be zero', async () => {
  const run = await tensorRun(model, first(), { image: model.image.layers - 1, text: -1 }, { special });
  const { activations, gradients } = await camGradients(run, run.image);
  const map = camMap(camState(run.image, 0, activations, gradients), hiresCamWeights);
  const { image } = await explainTensors(model, OWN.find(m => m.name === 'hires-cam')!, first(), { special });
  expect(image![0].tokens).toEqual(map);
  expect(Math.min(...map.map(Math.abs))).toBeGreaterThan(0);
  // The norm's output has mean square one, before its gain: these are no residual sums.
  expect(activations.data).not.toEqual(run.image.hidden.data);
  await run.release();
});
