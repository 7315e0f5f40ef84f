/** The loss and the gradients of LoRA on every family's tiny checkpoint, against PEFT's (bench/peers/make_mllm_lora.py). */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openAdapter } from '../../checkpoints/peft.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { casePixels, FAMILY_GOLDENS, familyCases, familyDirectory } from '../../generation/testing/family-goldens.ts';
import { compile } from '../../graph/index.ts';
import { familyOf } from '../../models/llava/families.ts';
import { pictureFeeds } from '../../models/llava/files.ts';
import { nameInMemory, storedName } from '../../models/llava/layout.ts';
import { imagesIn } from '../../models/llava/placement.ts';
import { expectNear, goldenIn } from '../../models/llava/testing/goldens.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { tuneTrainingSchema } from './arguments.ts';
import { llavaTrainGraph } from './graph.ts';
import { lossCount } from './loss-average.ts';
import { methodOf } from './method.ts';
import { llavaSource } from './source.ts';
import { tokenFeeds } from './token-feeds.ts';
import { lossDivisor } from './update-batch.ts';

/** The conversation of the goldens. */
const CASE = 2;
const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

it.each(FAMILY_GOLDENS)('equal those of %s: every adapter and the connector', async name => {
  const directory = familyDirectory(name);
  const [g, whole, source] = [await goldenIn(join(directory, 'lora')), await goldenIn(directory), await llavaSource(directory)];
  const { config, entries } = source;
  const naming = familyOf(config)?.naming;
  const args = tuneTrainingSchema.parse({
    method: 'lora',
    lora_r: 2,
    lora_alpha: 6,
    lora_dropout: 0,
    model: directory,
    output_dir: 'none',
  });
  const { lora, trainable } = methodOf(args, entries.keys(), config.text_config.num_hidden_layers, { naming });
  const { parameters, outputs } = llavaTrainGraph(config, { trainable, frozen: frozenParameters(entries, directory), images: true, lora });
  // PEFT's own file, opened as a start of ours.
  const adapter = await openAdapter(join(directory, 'lora'), stored => nameInMemory(stored, naming));
  expect([...parameters.keys()].sort()).toEqual([...adapter.entries.keys()].sort());
  const weights: Record<string, FloatTensor> = {};
  for (const [tensor, entry] of adapter.entries) weights[tensor] = floats(entry.shape, await readFloats(entry));

  const [ids, mask, labels] = await Promise.all(['input_ids', 'attention_mask', 'labels'].map(what => whole.raw(`right.${what}`)));
  const width = ids.shape[1];
  const row = (data: ArrayLike<number | bigint>): number[] => Array.from(data, Number).slice(CASE * width, (CASE + 1) * width);
  const length = row(mask.data).reduce((sum, shown) => sum + shown, 0);
  const rows = [{ ids: row(ids.data).slice(0, length), labels: row(labels.data).slice(0, length) }];
  await using chat = await ChatModel.open(directory, { runtime });
  const pixels = (await casePixels(chat, directory, (await familyCases(directory))[CASE]))!;
  await using graph = await compile(runtime, outputs);
  const out = await graph.run({
    ...tokenFeeds(config, rows, imagesIn(config, pixels), 'token', pixels.layouts),
    ...pictureFeeds(config, pixels),
    ...weights,
    loss_divisor: lossDivisor([lossCount(rows)]),
  });
  expectClose(out.loss.data as Float32Array, (await g.floats('loss')).data, { rtol: 1e-5 });
  const left = new Set(g.names.filter(each => each.startsWith('grad.')));
  for (const tensor of parameters.keys()) {
    const golden = `grad.base_model.model.${storedName(tensor, 'new', naming)}`;
    expectNear(out[`grad.${tensor}`] as FloatTensor, await g.floats(golden), 1e-4, tensor);
    left.delete(golden);
  }
  expect([...left]).toEqual([]);
});
