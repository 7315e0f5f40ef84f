/** @file Steps of LoRA as `narrows train tune --method lora` takes them, on one batch, for children whose memory is watched. */
import { openCheckpoint, readConfig } from '../../src/checkpoints/disk.ts';
import { compile } from '../../src/graph/index.ts';
import { type LlavaConfig, parseLlavaConfig } from '../../src/models/llava/config.ts';
import { familyOf } from '../../src/models/llava/families.ts';
import { inMemoryEntries } from '../../src/models/llava/layout.ts';
import { frozenParameters } from '../../src/nn/parameters.ts';
import { AdamW } from '../../src/optim/adamw.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { type FloatTensor, floats } from '../../src/tensor/tensor.ts';
import { llavaTrainGraph } from '../../src/tuning/llava/graph.ts';
import { lossCount } from '../../src/tuning/llava/loss-average.ts';
import { trainingCompileOptions } from '../../src/tuning/llava/memory.ts';
import { startValues } from '../../src/tuning/llava/start-values.ts';
import { tokenFeeds } from '../../src/tuning/llava/token-feeds.ts';
import { lossDivisor } from '../../src/tuning/llava/update-batch.ts';

const STEPS = 2;

/** Words of a text, none of them special. */
export function randomWords(config: LlavaConfig, row: number, count: number): number[] {
  const reader = new RandomStream(0, 'bench.words').reader(0, row);
  return Array.from({ length: count }, () => reader.integer(config.text_config.vocab_size - 1000));
}

/** Pixels of pictures or tiles. */
export function randomPixels({ vision_config: { image_size: size } }: LlavaConfig, count: number): FloatTensor {
  return floats([count, 3, size, size], new RandomStream(0, 'bench.pixels').normals(0, 0, new Float32Array(count * 3 * size * size)));
}

/** Image tokens and words; the second half of the words is the answer. */
export function randomRow(config: LlavaConfig, row: number, imageTokens: number, words: number): { ids: number[]; labels: number[] } {
  const image = Array<number>(imageTokens).fill(config.image_token_index);
  const text = randomWords(config, row, words);
  return { ids: [...image, ...text], labels: [...image.map(() => -100), ...text.map((id, i) => (i < text.length / 2 ? -100 : id))] };
}

/** What the steps are taken on. */
export interface LoraBatch {
  readonly rows: readonly { readonly ids: number[]; readonly labels: number[] }[];
  readonly pixels: FloatTensor;
  /** How many images the rows have, as `placeImages` counts them. */
  readonly images: number;
}

/** @param recompute blocks are computed again for the gradient @returns seconds of each step */
export async function loraSteps(
  runtime: Runtime,
  directory: string,
  batchOf: (config: LlavaConfig) => LoraBatch,
  recompute = false,
): Promise<number[]> {
  const config = parseLlavaConfig(await readConfig(directory));
  const { entries } = inMemoryEntries((await openCheckpoint(directory)).entries, familyOf(config)?.naming);
  const { parameters: traced, outputs } = llavaTrainGraph(config, {
    images: true,
    recompute,
    trainable: name => name.startsWith('model.multi_modal_projector.'),
    frozen: frozenParameters(entries, directory),
    lora: { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear', modules_to_save: ['multi_modal_projector'] },
  });
  const parameters = await startValues(traced, { entries, width: config.text_config.hidden_size, seed: 0 });
  await using graph = await compile(runtime, outputs, trainingCompileOptions(entries));
  const { rows, pixels, images } = batchOf(config);
  const batch = { ...tokenFeeds(config, rows, images), pixel_values: pixels, loss_divisor: lossDivisor([lossCount(rows)]) };
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
