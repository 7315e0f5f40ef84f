/** @file Perturbation and interaction methods on SigLIP: no class token, a head that pools by attention, captions filled up without a mask. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, gather, input, normalise } from '../../graph/index.ts';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import { loadModel } from '../../models/pretrained.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { encodeTensors, explainTensors, type TensorPairs } from '../../verify/tensor-run.ts';
import type { EncodedPairs } from '../pair.ts';
import { Perturbation } from '../perturbation/perturbation.ts';
import { methods } from '../registry.ts';
import { row } from '../rows.ts';
import { unit } from '../target.ts';

const directory = fileURLToPath(new URL('../../models/siglip/testdata/siglip-tiny', import.meta.url));
const PAD = 1;
const special = (id: number): boolean => id === PAD;

let model: DualEncoderModel;
let pairs: TensorPairs;
let encoded: EncodedPairs;
/** Positions of pair 0's own tokens. */
let wordTokens: number[];
beforeAll(async () => {
  model = await loadModel(directory);
  const outputs = await ReferenceFile.open(`${directory}/outputs.safetensors`);
  pairs = { pixelValues: await outputs.floats('pixel_values'), inputIds: await outputs.integers('input_ids') };
  encoded = await encodeTensors(model, pairs, { image: -1, text: -1 }, special);
  wordTokens = encoded.text.batch.rows[0].tokens.flatMap((t, i) => (t.special ? [] : [i]));
});
afterAll(() => model.release());

const first = (): TensorPairs => ({
  pixelValues: floats([1, ...pairs.pixelValues.shape.slice(1)], row(pairs.pixelValues, 0)),
  inputIds: { ...pairs.inputIds, shape: [1, 12], data: pairs.inputIds.data.subarray(0, 12) },
});
const close = (a: ArrayLike<number>, b: ArrayLike<number>): void =>
  expectClose(Float32Array.from(a), Float32Array.from(b), { rtol: 0, atol: 3e-6 });

describe('the engine', () => {
  it('everybody there: the features of the whole picture and caption, padding kept', async () => {
    await using engine = new Perturbation({ model, encoded });
    const patches = model.image.grid!(32, 32).reduce((a, b) => a * b);
    close((await engine.imageFeatures(0, new Uint8Array(patches).fill(1))).data, unit(row(encoded.image.features, 0)));
    const all = new Uint8Array(wordTokens.length).fill(1);
    for (const removal of ['mask', 'delete'] as const)
      close((await engine.textFeatures(0, all, { removal })).data, unit(row(encoded.text.features, 0)));
  });

  it('drop: neither blocks nor the head see a patch that is gone; without any, the mean-coloured picture stands in', async () => {
    await using engine = new Perturbation({ model, encoded });
    const n = model.image.grid!(32, 32).reduce((a, b) => a * b);
    const coalition = Uint8Array.from({ length: n }, (_, i) => +(i % 3 === 0));
    const left = [...coalition.keys()].filter(i => coalition[i]);
    const { width } = model.image;
    const hidden = gather(input('hidden', [1, n, width]), input('left', [left.length], 'int32'), 1);
    await using graph = await compile(model.runtime, { features: normalise(model.image.suffix(-1, hidden, 1, encoded.image.inputs)) });
    const feeds = { hidden: floats([1, n, width], row(encoded.image.hidden, 0)), left: ints([left.length], left) };
    const both = Uint8Array.from([...coalition, ...new Uint8Array(n)]);
    const got = await engine.imageFeatures(0, both, { removal: 'drop' });
    close(row(got, 0), (await graph.run(feeds)).features.data as Float32Array);
    close(row(got, 1), (await engine.imageFeatures(0, new Uint8Array(n))).data);
  });

  it('delete: the shorter caption, filled up; mask: the words hidden where they stood', async () => {
    await using engine = new Perturbation({ model, encoded });
    const coalition = Uint8Array.from(wordTokens, (_, i) => +(i !== 1));
    const ids = Array.from(pairs.inputIds.data.subarray(0, 12) as Int32Array, Number);
    const shorter = ids.filter((_, i) => i !== wordTokens[1]);
    const want = await model.textFeatures(ints([1, 12], [...shorter, PAD]));
    const deleted = await engine.textFeatures(0, coalition, { removal: 'delete' });
    close(deleted.data, unit(want.data));
    const hidden = input('hidden', [1, 12, model.text.width]);
    const keyMask = input('mask', [1, 12]);
    await using graph = await compile(model.runtime, {
      features: normalise(model.text.suffix(-1, hidden, 1, encoded.text.inputs, { keyMask })),
    });
    const mask = floats(
      [1, 12],
      ids.map((_, i) => +(i !== wordTokens[1])),
    );
    const feeds = { hidden: floats([1, 12, model.text.width], row(encoded.text.hidden, 0)), mask };
    const masked = await engine.textFeatures(0, coalition);
    close(masked.data, (await graph.run(feeds)).features.data as Float32Array);
    expect(Math.max(...masked.data.map((v, i) => Math.abs(v - deleted.data[i])))).toBeGreaterThan(1e-3);
  });
});

const OWN = methods.filter(m => m.family === 'perturbation' || m.family === 'interaction');

describe.each(OWN)('$name', entry => {
  it('maps every patch and word, the same in a batch as one by one', async () => {
    const options =
      'samples' in entry.schema.shape ? { samples: 80 } : 'textMasks' in entry.schema.shape ? { imageMasks: 80, textMasks: 40 } : {};
    const together = await explainTensors(model, entry, pairs, { options, special });
    const separate = await explainTensors(model, entry, first(), { options, special });
    for (const m of entry.modalities) {
      const [map, single] = [together[m]![0], separate[m]![0]];
      expect([...map.tokens].every(Number.isFinite)).toBe(true);
      expectClose(map.tokens, single.tokens, { rtol: 0, atol: 1e-4 * Math.max(...single.tokens.map(Math.abs)), label: m });
      const valued = [...map.tokens.keys()].filter(i => map.tokens[i] !== 0);
      if (m === 'text') expect(valued).toEqual(wordTokens);
      else expect(valued.length).toBe(model.image.grid!(32, 32).reduce((a, b) => a * b));
    }
    if (entry.family === 'interaction') expect(together.interactions![0].values.every(v => Number.isFinite(v) && v !== 0)).toBe(true);
    if (entry.name === 'exclip') expect(Math.abs(together.image![0].convergenceDelta!)).toBeLessThan(1e-3);
  });
});
