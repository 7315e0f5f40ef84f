/**
 * @file A process whose memory smolvlm-memory.ts watches. usage: smolvlm-memory-child.ts generate|tune DIR OUT.json THREADS
 * It answers a conversation about a picture of thirteen tiles, or tunes by LoRA on it as `narrows train tune --method lora` does.
 */
import { writeFile } from 'node:fs/promises';
import { openCheckpoint, readConfig } from '../../src/checkpoints/disk.ts';
import { generate } from '../../src/generation/generate.ts';
import { compile } from '../../src/graph/index.ts';
import { type LlavaConfig, parseLlavaConfig } from '../../src/models/llava/config.ts';
import { familyOf } from '../../src/models/llava/families.ts';
import { inMemoryEntries } from '../../src/models/llava/layout.ts';
import type { Pictured } from '../../src/models/llava/pictures.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { tileSide } from '../../src/models/smolvlm/vision.ts';
import { frozenParameters } from '../../src/nn/parameters.ts';
import { AdamW } from '../../src/optim/adamw.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { floats } from '../../src/tensor/tensor.ts';
import { llavaTrainGraph } from '../../src/tuning/llava/graph.ts';
import { lossCount } from '../../src/tuning/llava/loss-average.ts';
import { trainingCompileOptions } from '../../src/tuning/llava/memory.ts';
import { startValues } from '../../src/tuning/llava/start-values.ts';
import { tokenFeeds } from '../../src/tuning/llava/token-feeds.ts';
import { lossDivisor } from '../../src/tuning/llava/update-batch.ts';

/** A picture of 4 : 3 by SmolVLM's own rules: 3 × 4 tiles and the whole one. */
const TILES = 13;
const WORDS = 128;
const NEW_TOKENS = 32;
const STEPS = 2;

const pixels = (config: LlavaConfig): Pictured => {
  const size = config.vision_config.image_size;
  const shape = [TILES, 3, size, size];
  return floats(shape, new RandomStream(0, 'bench.pixels').normals(0, 0, new Float32Array(TILES * 3 * size * size)));
};

function row(config: LlavaConfig): { ids: number[]; labels: number[] } {
  const reader = new RandomStream(0, 'bench.smolvlm').reader(0, 0);
  const image = Array<number>(TILES * tileSide(config) ** 2).fill(config.image_token_index);
  const text = Array.from({ length: WORDS }, () => reader.integer(config.text_config.vocab_size - 1000));
  return { ids: [...image, ...text], labels: [...image.map(() => -100), ...text.map((id, i) => (i < WORDS / 2 ? -100 : id))] };
}

async function answer(directory: string): Promise<number[]> {
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const from = performance.now();
  const [{ ids }] = await generate(model, [{ ids: row(model.config).ids, pixelValues: pixels(model.config) }], {
    maxNewTokens: NEW_TOKENS,
  });
  if (ids.length !== NEW_TOKENS) throw new Error(`The answer has ${ids.length} tokens.`);
  return [(performance.now() - from) / 1000];
}

async function tune(directory: string): Promise<number[]> {
  const config = parseLlavaConfig(await readConfig(directory));
  const { entries } = inMemoryEntries((await openCheckpoint(directory)).entries, familyOf(config)?.naming);
  const { parameters: traced, outputs } = llavaTrainGraph(config, {
    images: true,
    trainable: name => name.startsWith('model.multi_modal_projector.'),
    frozen: frozenParameters(entries, directory),
    lora: { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear', modules_to_save: ['multi_modal_projector'] },
  });
  const parameters = await startValues(traced, { entries, width: config.text_config.hidden_size, seed: 0 });
  await using graph = await compile(runtime, outputs, trainingCompileOptions(entries));
  const rows = [row(config)];
  const feeds = tokenFeeds(config, rows, TILES * tileSide(config) ** 2);
  const batch = { ...feeds, pixel_values: pixels(config), loss_divisor: lossDivisor([lossCount(rows)]) };
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

const [mode, directory, out, threads] = process.argv.slice(2);
const runtime = nodeRuntime({ threads: Number(threads) });
await writeFile(out, JSON.stringify({ seconds: mode === 'generate' ? await answer(directory) : await tune(directory) }));
