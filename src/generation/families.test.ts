import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../checkpoints/safetensors.ts';
import { compile, grad, input } from '../graph/index.ts';
import { familyOf } from '../models/llava/families.ts';
import { pictureFeeds, pixelInput, rowInputs } from '../models/llava/files.ts';
import { llavaForward, nextTokenLoss } from '../models/llava/forward.ts';
import { storedName } from '../models/llava/layout.ts';
import { LlavaModel, placementFeeds } from '../models/llava/model.ts';
import { imagesIn } from '../models/llava/placement.ts';
import { expectNear, type Golden, goldenIn } from '../models/llava/testing/goldens.ts';
import { trainableParameters } from '../nn/parameters.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { type FloatTensor, floats, ints } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { generate } from './generate.ts';
import { ChatModel } from './pretrained.ts';
import { allPixels, casePixels, FAMILY_GOLDENS, familyCases, familyDirectory } from './testing/family-goldens.ts';

const runtime = nodeRuntime({ threads: 2 });
type Chat = Awaited<ReturnType<typeof ChatModel.open>>;
const models = new Map<string, Promise<Chat>>();
const open = (name: string): Promise<Chat> => {
  const found = models.get(name) ?? ChatModel.open(familyDirectory(name), { runtime });
  models.set(name, found);
  return found;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

const llavaOf = ({ model }: Chat): LlavaModel => (model instanceof LlavaModel ? model : expect.fail('not opened as a LlavaModel'));
const numbers = (data: ArrayLike<number | bigint>): number[] => Array.from(data, Number);

async function batch(chat: Chat, g: Golden, name: string, side: string) {
  const pixelValues = await allPixels(chat, familyDirectory(name));
  const raw = (what: string) => g.raw(`${side}.${what}`);
  return { inputIds: await raw('input_ids'), attentionMask: await raw('attention_mask'), labels: await raw('labels'), pixelValues };
}

describe.each(FAMILY_GOLDENS)('%s', name => {
  const directory = familyDirectory(name);

  it('makes the pixels and the ids of each conversation that the processor of transformers makes', async () => {
    const [chat, g] = [await open(name), await goldenIn(directory)];
    for (const [i, one] of (await familyCases(directory)).entries()) {
      const pixels = await casePixels(chat, directory, one);
      expect(chat.encoded(one.messages, { pictures: pixels }).ids, `ids ${i}`).toEqual(numbers((await g.raw(`prompt.${i}.ids`)).data));
      if (!pixels) continue;
      const expected = await g.floats(`prompt.${i}.pixel_values`);
      expect(pixels.shape, `pixels ${i}`).toEqual(expected.shape);
      expectClose(pixels.data, expected.data, { rtol: 0, atol: 1e-6, label: `pixels ${i}` });
    }
  });

  it.each(['right', 'left'])('equals PyTorch with padding on the %s: hidden states, logits, loss', async side => {
    const [chat, g] = [await open(name), await goldenIn(directory)];
    const inputs = await batch(chat, g, name, side);
    const out = await llavaOf(chat).forward(inputs, { hiddenStates: side === 'right' });
    const shown = numbers(inputs.attentionMask.data);
    expectClose([out.loss!], (await g.floats(`${side}.loss`)).data, { rtol: 1e-5 });
    for (const [i, h] of (out.hiddenStates ?? []).entries()) expectNear(h, await g.floats(`hidden_states.${i}`), 2e-5, `state ${i}`, shown);
    if (side === 'right') expectNear(out.logits, await g.floats('right.logits'), 2e-5, 'logits', shown);
    else {
      const [rows, length, width] = out.logits.shape;
      const last = Array.from({ length: rows }, (_, b) =>
        out.logits.data.subarray(((b + 1) * length - 4) * width, (b + 1) * length * width),
      );
      expectNear(
        floats(
          [rows, 4, width],
          last.flatMap(row => [...row]),
        ),
        await g.floats('left.logits'),
        2e-5,
        'logits',
      );
    }
  });

  it('equals PyTorch: the gradient of every tensor, by three sums', async () => {
    const [chat, g] = [await open(name), await goldenIn(directory)];
    const { config, parts, place } = llavaOf(chat);
    const { pixelValues, ...tokens } = await batch(chat, g, name, 'right');
    const p = trainableParameters();
    const run = llavaForward(p, config, rowInputs(config), pixelInput(config));
    const loss = nextTokenLoss(run.logits, input('labels', ['batch', 'seq'], 'int32'));
    const names = [...p.all.keys()];
    const values = grad(loss, [...p.all.values()]);
    await using graph = await compile(runtime, Object.fromEntries(values.map((v, i) => [`grad.${names[i]}`, v])));
    const weights: Record<string, FloatTensor> = {};
    for (const tensor of names) {
      const entry = parts.checkpoint.entries.get(tensor)!;
      weights[tensor] = floats(entry.shape, await readFloats(entry));
    }
    const placement = place.call(llavaOf(chat), tokens.inputIds, imagesIn(config, pixelValues), tokens.attentionMask, pixelValues.layouts);
    const feeds = { ...placementFeeds(placement), ...pictureFeeds(config, pixelValues), labels: tokens.labels, ...weights };
    const out = await graph.run(feeds);
    const stored = new Set(g.names.filter(n => n.startsWith('grad.')));
    for (const tensor of names) {
      const sums = [0, 0, 0];
      (out[`grad.${tensor}`].data as Float32Array).forEach((v, i) => {
        sums[0] += v;
        sums[1] += Math.abs(v);
        sums[2] += v * Math.cos(i);
      });
      const golden = `grad.${storedName(tensor, 'new', familyOf(config)?.naming)}`;
      // A key's bias without rotary positions has no gradient (softmax): what is there is rounding.
      if (!/vision_tower.*k_proj\.bias$/.test(tensor)) expectNear(floats([3], sums), await g.floats(golden), 1e-4, tensor);
      stored.delete(golden);
    }
    expect([...stored]).toEqual([]);
  });

  it("equals transformers' greedy answers, alone, in one batch, and from features", async () => {
    const [chat, g] = [await open(name), await goldenIn(directory)];
    const model = llavaOf(chat);
    const prompts = [];
    const encoded = [];
    const expected: number[][] = [];
    for (const [i, one] of (await familyCases(directory)).entries()) {
      const pixels = await casePixels(chat, directory, one);
      prompts.push(chat.prompt(one.messages, pixels));
      encoded.push({ ids: prompts[i].ids, ...(pixels ? { imageFeatures: await model.imageFeatures(pixels) } : {}) });
      expected.push(numbers((await g.raw(`generate.${i}`)).data));
    }
    for (const batchSize of [1, 3])
      expect(
        (await generate(model, prompts, { maxNewTokens: 6, batchSize })).map(a => a.ids),
        `batches of ${batchSize}`,
      ).toEqual(expected);
    expect(
      (await generate(model, encoded, { maxNewTokens: 6 })).map(a => a.ids),
      'features',
    ).toEqual(expected);
  });

  it('has an effect of every picture and of where it stands', async () => {
    const chat = await open(name);
    const [one] = await familyCases(directory);
    const pixels = (await casePixels(chat, directory, one))!;
    const other = {
      ...floats(
        pixels.shape,
        pixels.data.map(v => -v),
      ),
      layouts: pixels.layouts,
    };
    const ids = chat.encoded(one.messages, { pictures: pixels }).ids;
    const logits = async (values: typeof pixels) =>
      (await llavaOf(chat).forward({ inputIds: ints([1, ids.length], ids), pixelValues: values })).logits.data.slice(-20);
    expect(await logits(other)).not.toEqual(await logits(pixels));
  });
});
