/** @file What our engine makes of a LLaVA's inputs, for check_llava_python.py: `llava_values.ts JOBS.json` does the jobs of the file in turn. */
import { readFile, writeFile } from 'node:fs/promises';
import { loadBottleneckLlava } from '../../src/bottleneck/gaussian/pretrained.ts';
import { openSafetensors } from '../../src/checkpoints/disk.ts';
import { readTensor } from '../../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import { ChatSession } from '../../src/generation/chat-session.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import type { ChatMessage } from '../../src/inputs/chat/messages.ts';
import { decodeImage } from '../../src/inputs/image/decode.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { FloatTensor, Tensor } from '../../src/tensor/tensor.ts';

/** Logits of a batch; with `alpha` 0 without the bottleneck. */
interface LogitsJob {
  readonly kind: 'logits';
  readonly model: string;
  /** safetensors: input_ids, attention_mask (int32), pixel_values */
  readonly inputs: string;
  /** safetensors: logits */
  readonly output: string;
  readonly alpha?: number;
}

/** Ids and pixels of conversations, and greedy answers to their first questions. */
interface ChatJob {
  readonly kind: 'chat';
  readonly model: string;
  readonly chats: readonly { readonly messages: readonly ChatMessage[]; readonly images: readonly string[] }[];
  /** JSON: a list of {ids, answer}; pixels in `OUTPUT.safetensors` */
  readonly output: string;
  readonly newTokens: number;
}

const [file] = process.argv.slice(2);
const runtime = nodeRuntime({ threads: 1 });

async function logits({ model: path, inputs, output, alpha }: LogitsJob): Promise<void> {
  await using model = await loadBottleneckLlava(path, { runtime, ...(alpha === undefined ? {} : { alpha }) });
  const { tensors } = await openSafetensors(inputs);
  const given = new Map<string, Tensor>();
  for (const [name, entry] of tensors) given.set(name, await readTensor(entry));
  const result = await model.forward({
    inputIds: given.get('input_ids')!,
    attentionMask: given.get('attention_mask'),
    pixelValues: given.get('pixel_values') as FloatTensor | undefined,
  });
  await writeSafetensors(output, { logits: result.logits });
}

async function chat({ model: path, chats, output, newTokens }: ChatJob): Promise<void> {
  await using model = await ChatModel.open(path, { runtime });
  const pixels: Record<string, Tensor> = {};
  const results: object[] = [];
  for (const [i, { messages, images }] of chats.entries()) {
    const decoded = await Promise.all(images.map(path => decodeImage(path)));
    const values = model.pixels(decoded);
    if (values) pixels[`${i}`] = values;
    const session = new ChatSession(model);
    session.restart(decoded);
    const answer = session.ask(messages[0].content.replaceAll('<image>', '').trim(), { maxNewTokens: newTokens, temperature: 0 });
    let step = await answer.next();
    while (!step.done) step = await answer.next();
    results.push({ ids: model.prompt(messages).ids, answer: step.value.text });
  }
  await writeSafetensors(`${output}.safetensors`, pixels);
  await writeFile(output, JSON.stringify(results));
}

for (const job of JSON.parse(await readFile(file, 'utf8')) as (LogitsJob | ChatJob)[])
  await (job.kind === 'logits' ? logits(job) : chat(job));
await runtime.release();
