/**
 * @file A process whose memory qwen-lora.ts watches. usage: qwen-lora-child.ts generate|tune|recompute DIR OUT.json THREADS
 * It tunes a LLaVA by LoRA as `narrows train tune --method lora` does (two steps), or answers one conversation.
 */
import { writeFile } from 'node:fs/promises';
import { openCheckpoint, readConfig } from '../../src/checkpoints/disk.ts';
import { generate } from '../../src/generation/generate.ts';
import { compile } from '../../src/graph/index.ts';
import { imageTokens, type LlavaConfig, parseLlavaConfig } from '../../src/models/llava/config.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { frozenParameters } from '../../src/nn/parameters.ts';
import { AdamW } from '../../src/optim/adamw.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { type FloatTensor, floats } from '../../src/tensor/tensor.ts';
import { llavaTrainGraph } from '../../src/tuning/llava/graph.ts';
import { lossCount } from '../../src/tuning/llava/loss-average.ts';
import { trainingCompileOptions } from '../../src/tuning/llava/memory.ts';
import { startValues } from '../../src/tuning/llava/start-values.ts';
import { tokenFeeds } from '../../src/tuning/llava/token-feeds.ts';
import { lossDivisor } from '../../src/tuning/llava/update-batch.ts';

const BATCH = 2;
const LENGTH = 512;
const STEPS = 2;
const NEW_TOKENS = 64;

/** Words of a text, none of them special. */
function words(config: LlavaConfig, row: number, count: number): number[] {
  const reader = new RandomStream(0, 'bench.qwen').reader(0, row);
  return Array.from({ length: count }, () => reader.integer(config.text_config.vocab_size - 1000));
}

function pixels(config: LlavaConfig, images: number): FloatTensor {
  const size = config.vision_config.image_size;
  return floats([images, 3, size, size], new RandomStream(0, 'bench.pixels').normals(0, 0, new Float32Array(images * 3 * size * size)));
}

/** @returns seconds of each step */
async function tune(runtime: Runtime, directory: string, recompute: boolean): Promise<number[]> {
  const config = parseLlavaConfig(await readConfig(directory));
  const { entries } = await openCheckpoint(directory);
  const { parameters: traced, outputs } = llavaTrainGraph(config, {
    images: true,
    recompute,
    trainable: name => name.startsWith('model.multi_modal_projector.'),
    frozen: frozenParameters(entries, directory),
    lora: { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear', modules_to_save: ['multi_modal_projector'] },
  });
  const parameters = await startValues(traced, { entries, width: config.text_config.hidden_size, seed: 0 });
  await using graph = await compile(runtime, outputs, trainingCompileOptions(entries));
  const image = Array<number>(imageTokens(config)).fill(config.image_token_index);
  const rows = Array.from({ length: BATCH }, (_, b) => {
    const text = words(config, b, LENGTH - image.length);
    // The second half of the text is the answer.
    const labels = [...image.map(() => -100), ...text.map((id, i) => (i < text.length / 2 ? -100 : id))];
    return { ids: [...image, ...text], labels };
  });
  const feeds = tokenFeeds(config, rows, BATCH);
  const batch = { ...feeds, pixel_values: pixels(config, BATCH), loss_divisor: lossDivisor([lossCount(rows)]) };
  const weights = Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
  const adamw = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 });
  const times: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const from = performance.now();
    const { loss, ...rest } = await graph.run({ ...weights, ...batch });
    const gradients = Object.entries(rest).flatMap(([key, { data }]) =>
      key.startsWith('grad.') ? [[key.slice(5), data as Float32Array] as const] : [],
    );
    adamw.step(new Map(gradients), 2e-4);
    times.push((performance.now() - from) / 1000);
    if (!Number.isFinite(Number(loss.data[0]))) throw new Error(`The loss of step ${step + 1} is ${loss.data[0]}.`);
  }
  return times;
}

/** @returns seconds from the prompt to the last token */
async function answer(runtime: Runtime, directory: string): Promise<number[]> {
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const { config } = model;
  const image = Array<number>(imageTokens(config)).fill(config.image_token_index);
  const prompt = { ids: [...image, ...words(config, 0, 16)], pixelValues: pixels(config, 1) };
  const from = performance.now();
  const [{ ids }] = await generate(model, [prompt], { maxNewTokens: NEW_TOKENS });
  if (ids.length !== NEW_TOKENS) throw new Error(`The answer has ${ids.length} tokens.`);
  return [(performance.now() - from) / 1000];
}

const [mode, directory, out, threads] = process.argv.slice(2);
const runtime = nodeRuntime({ threads: Number(threads) });
const seconds = mode === 'generate' ? await answer(runtime, directory) : await tune(runtime, directory, mode === 'recompute');
await writeFile(out, JSON.stringify({ seconds }));
