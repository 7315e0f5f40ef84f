/** @file Greedy answers of the scenes' small LLaVA over a cache, one and eight conversations with an image each, against transformers' generate. */
import { join } from 'node:path';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import { generate } from '../../src/generation/generate.ts';
import { imageTokens, type LlavaConfig } from '../../src/models/llava/config.ts';
import type { LlavaPrompt } from '../../src/models/llava/decoding.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import { Peer } from '../peer.ts';
import { writeSmallLlava } from '../random-llava.ts';
import { clock, interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';

const BATCHES = [1, 8];
const TOKENS = 64;
/** Answers per round of one conversation: a single one is too short for the clock. */
const REPEATED = 4;
/** Words of the shortest question; each further conversation has one more. */
const QUESTION = 12;

/** Conversations with an image each, of different lengths. */
function randomPrompts(config: LlavaConfig, count: number): LlavaPrompt[] {
  const { image_size: size } = config.vision_config;
  const words = new RandomStream(0, 'bench.generate.ids');
  const pixels = new RandomStream(0, 'bench.generate.pixels');
  return Array.from({ length: count }, (_, b) => {
    const reader = words.reader(0, b);
    const question = Array.from({ length: QUESTION + b }, () => 5 + reader.integer(config.text_config.vocab_size - 5));
    const image = Array<number>(imageTokens(config)).fill(config.image_token_index);
    const shape = [1, 3, size, size];
    return { ids: [1, ...image, ...question], pixelValues: floats(shape, pixels.normals(0, b, new Float32Array(3 * size * size))) };
  });
}

/** The file that PyTorch reads: shorter conversations padded in front. */
async function writePrompts(prompts: readonly LlavaPrompt[], file: string): Promise<void> {
  const length = Math.max(...prompts.map(p => p.ids.length));
  const shape = [prompts.length, length];
  const [ids, mask] = [new Int32Array(prompts.length * length), new Int32Array(prompts.length * length)];
  for (const [b, { ids: own }] of prompts.entries()) {
    ids.set(own, (b + 1) * length - own.length);
    mask.fill(1, (b + 1) * length - own.length, (b + 1) * length);
  }
  const images = prompts.map(p => p.pixelValues!);
  const size = images[0].data.length;
  const pixels = new Float32Array(size * images.length);
  for (const [b, { data }] of images.entries()) pixels.set(data, b * size);
  const pixelValues = floats([images.length, ...images[0].shape.slice(1)], pixels);
  await writeSafetensors(file, { input_ids: ints(shape, ids), attention_mask: ints(shape, mask), pixel_values: pixelValues });
}

async function run(context: Context): Promise<SuiteResult> {
  const { threads, status } = context;
  const scratch = await context.scratch();
  const directory = join(scratch, 'small-llava');
  const config = await writeSmallLlava(directory);
  const runtime = nodeRuntime({ threads });
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const peer = context.peer && (await Peer.start(threads, 'llava_torch.py'));
  const rows: Row[] = [];
  try {
    for (const batch of BATCHES) {
      status(`${batch} conversation${batch > 1 ? 's' : ''}`);
      const prompts = randomPrompts(config, batch);
      const inputs = join(scratch, `prompts-${batch}.safetensors`);
      await writePrompts(prompts, inputs);
      const answer = () => generate(model, prompts, { maxNewTokens: TOKENS, batchSize: batch });
      const repeated = batch === 1 ? REPEATED : 1;
      const command = { cmd: 'generate', directory, inputs, tokens: TOKENS };
      const notes: string[] = [];
      if (peer) {
        const own = (await answer()).map(({ ids }) => ids);
        const theirs = (await peer.ask(command)).ids as number[][];
        const same = own.flatMap((ids, b) => ids.map((id, i) => Number(id === theirs[b][i])));
        notes.push(`${same.reduce((a, b) => a + b, 0)} of ${same.length} tokens are PyTorch's.`);
      }
      /** Mean seconds of an answer to the whole batch. */
      const mean = async (once: () => Promise<number>): Promise<number> => {
        let sum = 0;
        for (let i = 0; i < repeated; i++) sum += await once();
        return sum / repeated;
      };
      const sides: Side[] = [{ name: 'ours', run: () => mean(() => clock(answer)) }];
      if (peer) sides.push({ name: 'transformers', run: () => mean(() => peer.seconds(command)) });
      const { ours: values, ...rivals } = await interleave(sides, context);
      const rate = (seconds: readonly number[]): string => ((batch * TOKENS) / median(seconds)).toFixed(0);
      notes.push(
        [`${rate(values)} tokens/s`, ...Object.entries(rivals).map(([name, seconds]) => `${name} ${rate(seconds)}`)].join(', ') +
          '; tower and prompt are part of the time.',
      );
      rows.push({ name: `${batch} × ${TOKENS} tokens`, unit: 's', values, rivals, aims: [{ rival: 'transformers', atLeast: 1 }], notes });
    }
  } finally {
    peer?.stop();
  }
  return {
    rows,
    notes: [`Random weights; prompts of ${imageTokens(config)} image tokens and ${QUESTION}–${QUESTION + BATCHES.at(-1)! - 1} words.`],
  };
}

/** See the file's head. */
export const vittleGenerate: Suite = {
  name: 'vittle-generate',
  about: `Greedy generation of the scenes' small LLaVA with its cache, ${TOKENS} new tokens each, no end token; against transformers' generate(use_cache=True).`,
  run,
};
