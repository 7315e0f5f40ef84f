import { afterAll, describe, expect, it } from 'vitest';
import { generate, streamTokens } from '../../generation/generate.ts';
import { add, equal, mul, unsqueeze, where } from '../../graph/index.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { LlavaModel } from '../pretrained.ts';
import type { LlavaPrompt } from './decoding.ts';
import type { LlavaTap } from './forward.ts';
import { MODALITY } from './placement.ts';
import { directoryOf, FAMILIES, golden, unpadded } from './testing/goldens.ts';

const runtime = nodeRuntime({ threads: 2 });
const models = new Map<string, Promise<LlavaModel>>();
const open = (name: string): Promise<LlavaModel> => {
  const found = models.get(name) ?? LlavaModel.fromPretrained(directoryOf(name), { runtime });
  models.set(name, found);
  return found;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

const images = (pixels: FloatTensor, from: number, to: number): FloatTensor => {
  const each = pixels.data.length / pixels.shape[0];
  return floats([to - from, ...pixels.shape.slice(1)], pixels.data.slice(from * each, to * each));
};

/** The three prompts of a golden: two images, only text, one image. */
async function prompts(name: string): Promise<LlavaPrompt[]> {
  const g = await golden(name);
  const pixels = await g.floats('pixel_values');
  const rows = unpadded(await g.raw('generate.input_ids'), await g.raw('generate.attention_mask'));
  return [{ ids: rows[0], pixelValues: images(pixels, 0, 2) }, { ids: rows[1] }, { ids: rows[2], pixelValues: images(pixels, 2, 3) }];
}
const rowsOf = (t: { shape: readonly number[]; data: ArrayLike<number | bigint> }): number[][] =>
  Array.from({ length: t.shape[0] }, (_, b) => Array.from(t.data, Number).slice(b * t.shape[1], (b + 1) * t.shape[1]));

/** Logits of the last token of one conversation by a whole forward pass. */
async function uncached(model: LlavaModel, { pixelValues }: LlavaPrompt, ids: readonly number[]): Promise<Float32Array> {
  const { logits } = await model.forward({ inputIds: ints([1, ids.length], ids), pixelValues });
  return logits.data.subarray((ids.length - 1) * logits.shape[2]);
}

/** Continues a batch over the cache by `fixed` tokens, and compares each step with whole forward passes. */
async function expectCachedEqualsUncached(model: LlavaModel, batch: LlavaPrompt[], steps: number): Promise<void> {
  const decoding = await model.start(batch);
  let rows = batch.map(prompt => ({ prompt, ids: [...prompt.ids] }));
  for (let step = 0; step <= steps; step++) {
    const width = decoding.logits.shape[1];
    for (const [b, { prompt, ids }] of rows.entries())
      expectClose(decoding.logits.data.subarray(b * width, (b + 1) * width), await uncached(model, prompt, ids), {
        rtol: 1e-4,
        atol: 2e-5,
        label: `step ${step}, row ${b}`,
      });
    if (step === 2) {
      // Rows leave, and change places.
      decoding.keep([2, 0]);
      rows = [rows[2], rows[0]];
      expect(decoding.logits.shape[0]).toBe(2);
    }
    const next = rows.map((_, b) => 3 + ((7 * step + 5 * b) % 40));
    rows.forEach((row, b) => {
      row.ids.push(next[b]);
    });
    await decoding.step(next);
  }
}

describe('generation over the cache', () => {
  it("equals transformers' greedy generation (llava-tiny)", async () => {
    const [model, g] = [await open('llava-tiny'), await golden('llava-tiny')];
    const prompt = rowsOf(await g.raw('generate.prompt'))[0];
    const output = rowsOf(await g.raw('generate.output'))[0];
    const [answer] = await generate(model, [{ ids: prompt, pixelValues: images(await g.floats('pixel_values'), 0, 1) }], {
      maxNewTokens: 8,
    });
    expect(answer.ids).toEqual(output.slice(prompt.length));
    expect(answer.finish).toBe('length');
  });

  describe.each(FAMILIES)('%s', name => {
    it("equals transformers' greedy generation of a padded batch, and with a repetition penalty", async () => {
      const [model, g, batch] = [await open(name), await golden(name), await prompts(name)];
      const greedy = await generate(model, batch, { maxNewTokens: 8 });
      expect(greedy.map(a => a.ids)).toEqual(rowsOf(await g.raw('generate.greedy')));
      const single = await generate(model, batch, { maxNewTokens: 8, batchSize: 1 });
      expect(single).toEqual(greedy);
      const penalised = await generate(model, batch, { maxNewTokens: 8, repetitionPenalty: 1.3 });
      for (const [i, { ids }] of penalised.entries()) expect([ids]).toEqual(rowsOf(await g.raw(`generate.penalty.${i}`)));
    });

    it('gives the same answers from features of pictures that were encoded before', async () => {
      const [model, batch] = [await open(name), await prompts(name)];
      const encoded: LlavaPrompt[] = [];
      for (const { ids, pixelValues } of batch)
        encoded.push(pixelValues ? { ids, imageFeatures: await model.imageFeatures(pixelValues) } : { ids });
      expect(await generate(model, encoded, { maxNewTokens: 8 })).toEqual(await generate(model, batch, { maxNewTokens: 8 }));
      // Another picture's features give other logits: they are read.
      const swapped = [{ ...encoded[2], imageFeatures: images(encoded[0].imageFeatures!, 0, 1) }];
      expect((await model.start(swapped)).logits.data).not.toEqual((await model.start([encoded[2]])).logits.data);
      await expect(model.start([encoded[0], batch[2]])).rejects.toThrow('give all in one form');
    });

    it('gives the same logits as whole forward passes, over growing buffers and with rows leaving', async () => {
      await expectCachedEqualsUncached(await open(name), await prompts(name), name === 'qwen2-tied' ? 40 : 6);
    });
  });

  it('gives the same logits as whole forward passes through a tap that looks at the modality', async () => {
    const tap: LlavaTap = (layer, hidden, { modality }) =>
      layer === 0 ? where(unsqueeze(equal(modality, MODALITY.image), -1), mul(hidden, 0.5), add(hidden, 0.25)) : hidden;
    await using model = await LlavaModel.fromPretrained(directoryOf('qwen2-tied'), { runtime, tap });
    const batch = await prompts('qwen2-tied');
    await expectCachedEqualsUncached(model, batch, 4);
    const plain = await (await open('qwen2-tied')).start(batch);
    expect((await model.start(batch)).logits.data).not.toEqual(plain.logits.data);
  });

  it('streams tokens as they come, ends rows at eos, and stops at once when aborted', async () => {
    const [model, batch] = [await open('qwen2-tied'), await prompts('qwen2-tied')];
    const whole = await generate(model, batch, { maxNewTokens: 8 });
    // The second token of the first answer ends it; the others go on until they meet it.
    const eos = whole[0].ids[1];
    const ended = await generate(model, batch, { maxNewTokens: 8, eosTokens: [eos] });
    expect(ended[0]).toEqual({ ids: whole[0].ids.slice(0, 2), text: '', finish: 'eos' });
    expect(ended[1]).toEqual(whole[1]);
    const controller = new AbortController();
    const tokens: number[] = [];
    const run = async (): Promise<void> => {
      for await (const token of streamTokens(model, batch, { maxNewTokens: 100, signal: controller.signal })) {
        tokens.push(token.id);
        if (tokens.length === 4) controller.abort(new Error('enough'));
      }
    };
    await expect(run()).rejects.toThrow('enough');
    expect(tokens).toEqual([whole[0].ids[0], whole[1].ids[0], whole[2].ids[0], whole[0].ids[1]]);
  });

  it('draws the same tokens for a prompt whatever batch it is in', async () => {
    const [model, batch] = [await open('llama-linear-bf16'), await prompts('llama-linear-bf16')];
    const options = { maxNewTokens: 12, temperature: 1.5, topK: 20, topP: 0.95, seed: 7 };
    const together = await generate(model, batch, options);
    expect(await generate(model, batch, { ...options, batchSize: 1 })).toEqual(together);
    expect(await generate(model, batch.slice(1), { ...options, promptNumbers: [1, 2] })).toEqual(together.slice(1));
    expect((await generate(model, batch, { ...options, seed: 8 })).map(a => a.ids)).not.toEqual(together.map(a => a.ids));
  });
});
