/** @file Every attribution method on every layout of an image–text model; some of them against PyTorch's gradients. */
import { afterAll, describe, expect, it } from 'vitest';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import { loadModel } from '../../models/pretrained.ts';
import { FAMILIES, familyDirectory, recordedCaptions, recordedPictures } from '../../models/testing/families.ts';
import { expectClose } from '../../testing/close.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { tensorRun } from '../../verify/tensor-run.ts';
import type { MethodEntry } from '../method.ts';
import type { Pair } from '../pair.ts';
import { pointGradients, stateOf } from '../primitives/point-gradients.ts';
import { createMethod, pairMethods } from '../registry.ts';
import { row } from '../rows.ts';
import { sourceGradients } from './saliency.ts';

const models = new Map<string, Promise<DualEncoderModel>>();
const open = (name: string): Promise<DualEncoderModel> => {
  if (!models.has(name)) models.set(name, loadModel(familyDirectory(name)));
  return models.get(name)!;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

/** As few samples and steps as a method takes. */
const quick = (entry: MethodEntry): Record<string, number> =>
  Object.fromEntries(
    [
      ['nSamples', 4],
      ['samples', 160],
      ['imageMasks', 6],
      ['textMasks', 6],
      ['nSteps', 3],
      ['steps', 2],
      ['nMasks', 6],
      ['batchSize', 2],
    ].filter(([key]) => (key as string) in entry.schema.shape),
  );

const METHODS = pairMethods().filter(m => m.family !== 'external');

describe.each(FAMILIES)('%s', name => {
  it('serves every method', async () => {
    const model = await open(name);
    const directory = familyDirectory(name);
    const [{ image }] = await recordedPictures(directory);
    const [, { text }] = await recordedCaptions(directory);
    const pair: Pair = { image, text };
    const refused: string[] = [];
    for (const entry of METHODS) {
      const method = createMethod(entry, model, quick(entry));
      try {
        const result = await method.attribute(pair, { seed: 3 });
        for (const m of entry.modalities) {
          const values = m === 'image' ? [...result.image!.patches] : result.text!.tokens.map(t => t.value);
          const [rows, columns] = result.image?.grid ?? [0, 0];
          if (m === 'image') expect(values.length, entry.name).toBe(rows * columns);
          expect(values.every(Number.isFinite), `${entry.name}: ${m}`).toBe(true);
          expect(
            values.some(v => v !== 0),
            `${entry.name}: ${m}`,
          ).toBe(true);
        }
      } catch (error) {
        refused.push(`${entry.name}: ${(error as Error).message}`);
      } finally {
        await method.release();
      }
    }
    // CLIP-Surgery compares single tokens with the text, which is not defined where all tokens are read.
    const pooled = model.image.pooling === 'attention' ? ['clip-surgery'] : [];
    expect(refused.map(r => r.split(':')[0])).toEqual(pooled);
  }, 120_000);

  it('has the gradients of PyTorch at the pixels, and at the output of a block of either tower', async () => {
    const model = await open(name);
    const outputs = await ReferenceFile.open(`${familyDirectory(name)}/outputs.safetensors`);
    const pixelValues = await outputs.floats('pixel_values');
    const inputIds = await outputs.integers('input_ids');
    const attentionMask = outputs.has('attention_mask') ? await outputs.integers('attention_mask') : undefined;
    const run = await tensorRun(model, { pixelValues, inputIds, attentionMask }, { image: 0, text: 0 }, { special: () => false });
    const near = (actual: Float32Array, expected: Float32Array, label: string): void =>
      expectClose(actual, expected, { rtol: 0, atol: 1e-4 * Math.max(...expected.map(Math.abs)), label });
    const { gradients } = await sourceGradients(run, run.image);
    near(row(gradients, 0), (await outputs.floats('grad.pixel_values')).data, 'pixels');
    for (const [job, side] of [
      [run.image, 'vision'],
      [run.text, 'text'],
    ] as const) {
      const state = await stateOf(run, job, 'hidden');
      const expected = (await outputs.floats(`grad.${side}.hidden_states.1`)).data;
      await pointGradients(run, job, 'hidden', state, {
        count: 1,
        fill: (p, _, out) => out.set(row(state, p)),
        take: (p, _, gradient) => p === 0 && near(gradient, expected, `${side} block 0`),
      });
    }
    await run.release();
  });
});
