import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTensor } from '../../checkpoints/safetensors.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { explainTensors, type TensorPairs } from '../../verify/tensor-run.ts';
import { findMethod } from '../registry.ts';
import { row } from '../rows.ts';
import { linearTarget, type Target, unit } from '../target.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Name in the golden file, method, options, and the tolerance relative to the largest entry. */
const CASES = [
  ['raw_attention', 'raw-attention', {}, 1e-5],
  ['rollout_mean', 'rollout', {}, 1e-5],
  ['rollout_max', 'rollout', { fusion: 'max' }, 1e-5],
  ['rollout_min', 'rollout', { fusion: 'min' }, 1e-5],
  ['chefer_last', 'chefer', {}, 1e-4],
  ['chefer_all', 'chefer', { layers: 'all' }, 1e-4],
  ['grad_eclip', 'grad-eclip', {}, 1e-4],
  ['grad_eclip_plain', 'grad-eclip', { ksim: false }, 1e-4],
  ['grad_eclip_published', 'grad-eclip', { form: 'published' }, 1e-4],
  ['legrad', 'legrad', {}, 1e-4],
  ['clip_surgery', 'clip-surgery', {}, 1e-5],
] as const;

describe.each(['clip-tiny', 'clip-tiny-b'])('attention methods on %s equal the formulas in PyTorch', name => {
  let model: CLIPModel;
  let golden: ReferenceFile;
  let pairs: TensorPairs;
  let lengths: number[];
  let targets: Record<'' | '.against' | '.labels', Record<Modality, Target>>;
  beforeAll(async () => {
    const directory = path(`../../models/testdata/${name}`);
    model = await CLIPModel.fromPretrained(directory);
    golden = await ReferenceFile.open(path(`testdata/attention-${name}.safetensors`));
    const outputs = await ReferenceFile.open(`${directory}/outputs.safetensors`);
    // SigLIP's texts are padded without a mask.
    const attentionMask = outputs.has('attention_mask') ? await outputs.integers('attention_mask') : undefined;
    const inputIds = await outputs.integers('input_ids');
    pairs = { pixelValues: await outputs.floats('pixel_values'), inputIds, attentionMask };
    const [count, width] = inputIds.shape;
    lengths = Array.from({ length: count }, (_, p) =>
      attentionMask ? (attentionMask.data as Int32Array).subarray(p * width, (p + 1) * width).filter(v => v === 1).length : width,
    );
    const images = await model.imageFeatures(pairs.pixelValues);
    const texts = await model.textFeatures(pairs.inputIds, attentionMask);
    const units = lengths.map((_, p) => unit(row(texts, p)));
    const text = linearTarget(
      lengths.map((_, p) => unit(row(images, p))),
      { kind: 'image', description: 'image' },
    );
    const against = units.map((u, p) => u.map((v, e) => v - units[(p + 1) % count][e]));
    const ordered = units.flatMap((u, p) => [u, ...units.filter((_, i) => i !== p)]);
    const labels = {
      ...({ kind: 'labels', form: 'log-probability' } as const),
      vectors: floats(
        [count, count, units[0].length],
        ordered.flatMap(u => [...u]),
      ),
      scale: await model.logitScale(),
      description: 'labels',
    };
    targets = {
      '': { image: linearTarget(units, { kind: 'caption', description: 'caption' }), text },
      '.against': { image: linearTarget(against, { kind: 'contrast', description: 'against' }), text },
      '.labels': { image: labels, text },
    };
  });
  afterAll(() => model.release());

  for (const [stored, method, options, tolerance] of CASES)
    for (const tag of ['', '.against', '.labels'] as const)
      for (const modality of ['image', 'text'] as const) {
        const entry = findMethod(method)!;
        if (!entry.modalities.includes(modality) || (tag && (modality === 'text' || /raw|rollout|plain$/.test(stored)))) continue;
        it(`${modality} ${stored}${tag}, padded texts in one batch`, async () => {
          const maps = await explainTensors(model, entry, pairs, { options, wanted: [modality], targets: targets[tag] });
          let shown = 0;
          for (const [p, map] of maps[modality]!.entries()) {
            const expected = await golden.floats(`${modality}.${p}.${stored}${tag}`);
            const values = modality === 'text' ? map.tokens.subarray(0, lengths[p]) : map.tokens;
            // A ReLU may leave nothing of a map: then it must be zero here, too.
            const largest = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
            shown = Math.max(shown, largest);
            expectClose(values, expected.data, { rtol: 0, atol: tolerance * largest, label: `pair ${p}` });
            if (modality === 'text') expect([...map.tokens.subarray(lengths[p])].every(v => v === 0)).toBe(true);
          }
          expect(shown, 'some pair has a map').toBeGreaterThan(0);
        });
      }

  it('and the gradients of attention that transformers gives: the last block’s, summed over heads', async () => {
    const outputs = await ReferenceFile.open(path(`../../models/testdata/${name}/outputs.safetensors`));
    const last = model.image.layers - 1;
    const slope = await outputs.floats(`grad.vision.attentions.${last}`);
    const [, heads, tokens] = slope.shape;
    const expected = Float32Array.from({ length: tokens }, (_, i) => {
      let sum = 0;
      for (let h = 0; h < heads; h++) sum += slope.data[(h * tokens + 0) * tokens + i];
      return Math.max(0, sum);
    });
    const { image } = await explainTensors(model, findMethod('grad-eclip')!, pairs, { options: { ksim: false }, wanted: ['image'] });
    expectClose(image![0].tokens, expected, { rtol: 0, atol: 1e-4 * Math.max(...expected), label: 'identity' });
  });
});

it('golden files hold nothing that no test reads', async () => {
  for (const name of ['clip-tiny', 'clip-tiny-b']) {
    const file = await ReferenceFile.open(path(`testdata/attention-${name}.safetensors`));
    for (const [key, entry] of file.entries) {
      const [, , stored] = key.split('.');
      expect(
        CASES.some(([s]) => s === stored),
        key,
      ).toBe(true);
      expect((await readTensor(entry)).data.length).toBeGreaterThan(0);
    }
  }
});
