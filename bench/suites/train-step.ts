/** @file A training step of the small CLIP, batch 64: forward, contrastive loss, gradients, clip, AdamW; against PyTorch eager. */
import { join } from 'node:path';
import { openCheckpoint, openSafetensors, readConfig } from '../../src/checkpoints/disk.ts';
import { readFloats, readTensor } from '../../src/checkpoints/safetensors.ts';
import { compile } from '../../src/graph/index.ts';
import { type CLIPConfig, parseCLIPConfig } from '../../src/models/clip/config.ts';
import { eosPositions } from '../../src/models/clip/text.ts';
import { roomyHeap } from '../../src/node/heap.ts';
import { AdamW, type Parameter } from '../../src/optim/adamw.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../src/tensor/tensor.ts';
import { trainGraph } from '../../src/tuning/clip/graph.ts';
import { smallClip } from '../models.ts';
import { interleave, type Side } from '../rounds.ts';
import type { Context, Suite, SuiteResult } from '../suite.ts';

const BATCH = 64;
const WARMUP = 2;
/** Timed steps per round; a round counts by their median. */
const STEPS = 5;
const RATE = 1e-4;

interface Batch {
  readonly pixels: FloatTensor;
  readonly ids: Tensor;
}

/** Pixels [B, 3, S, S] -> patches [B, K, 3·p·p]: PyTorch's convolution does it within its step, so we do it within ours. */
function patchify(pixels: FloatTensor, patch: number): FloatTensor {
  const [batch, channels, size] = pixels.shape;
  const side = size / patch;
  const out = new Float32Array(pixels.data.length);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++)
        for (let c = 0; c < channels; c++)
          for (let y = 0; y < patch; y++) {
            const from = ((b * channels + c) * size + row * patch + y) * size + column * patch;
            out.set(pixels.data.subarray(from, from + patch), at);
            at += patch;
          }
  return floats([batch, side * side, channels * patch * patch], out);
}

function randomBatch({ vision_config: vision, text_config: text }: CLIPConfig): Batch {
  const [size, length] = [vision.image_size, text.max_position_embeddings];
  const pixels = floats(
    [BATCH, 3, size, size],
    new RandomStream(0, 'bench.train').normals(0, 0, new Float32Array(BATCH * 3 * size * size)),
  );
  const ids = Int32Array.from(
    new RandomStream(0, 'bench.ids').words(0, 0, new Uint32Array(BATCH * length)),
    w => 4 + (w % (text.vocab_size - 5)),
  );
  const last = text.eos_token_id === 2 ? text.vocab_size - 1 : text.eos_token_id!;
  for (let b = 0; b < BATCH; b++) ids[(b + 1) * length - 1] = last;
  return { pixels, ids: ints([BATCH, length], ids) };
}

async function run(context: Context): Promise<SuiteResult> {
  const { peer, threads } = context;
  const scratch = await context.scratch();
  const { directory, shipped } = await smallClip(scratch);
  const config = parseCLIPConfig(await readConfig(directory), join(directory, 'config.json'));
  const { entries } = await openCheckpoint(directory);
  const runtime = nodeRuntime({ threads });
  const traced = trainGraph(config, { contrastive: 1, naming: 0, dense: 0 }, 1);
  await using graph = await compile(runtime, traced.outputs);
  const saved: Parameter[] = [];
  for (const [name, { shape }] of traced.parameters)
    saved.push({ name, shape: shape as number[], data: await readFloats(entries.get(name)!) });

  const command = { cmd: 'train_step', directory, batch: BATCH, repeat: STEPS, warmup: WARMUP, lr: RATE, optimizer: 'fused' };
  const file = join(scratch, 'batch.safetensors');
  let theirs: readonly number[] | undefined;
  let batch = randomBatch(config);
  if (peer) {
    theirs = (await peer.ask({ ...command, inputs: file })).losses as number[];
    const { tensors } = await openSafetensors(file);
    batch = { pixels: (await readTensor(tensors.get('pixel_values')!)) as FloatTensor, ids: await readTensor(tensors.get('input_ids')!) };
  }
  let losses: number[] = [];
  /** From the saved weights anew in every round, as the worker does. */
  const train = async (): Promise<number> => {
    // As every training run of ours does.
    using _ = roomyHeap();
    const parameters = saved.map(p => ({ ...p, data: p.data.slice() }));
    const weights = Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
    // PyTorch's AdamW as the worker makes it: decay 0.01 on every parameter.
    const adamw = new AdamW(parameters, { weightDecay: 0.01, decays: () => true, maxGradNorm: 1 });
    const times: number[] = [];
    losses = [];
    for (let step = 0; step < WARMUP + STEPS; step++) {
      const from = performance.now();
      const patches = patchify(batch.pixels, config.vision_config.patch_size);
      const count = patches.shape[1];
      const kept = ints(
        [BATCH, count],
        Int32Array.from({ length: BATCH * count }, (_, i) => i % count),
      );
      const feeds = { patches, kept, ids: batch.ids, eos: eosPositions(config.text_config, batch.ids) };
      const { loss, ...rest } = await graph.run({ ...weights, ...feeds });
      adamw.step(
        new Map(Object.entries(rest).flatMap(([key, t]) => (key.startsWith('grad.') ? [[key.slice(5), t.data as Float32Array]] : []))),
        RATE,
      );
      times.push((performance.now() - from) / 1000);
      losses.push(Number(loss.data[0]));
    }
    return median(times.slice(WARMUP));
  };
  const sides: Side[] = [{ name: 'ours', run: train }];
  if (peer) sides.push({ name: 'PyTorch eager', warm: false, run: () => peer.seconds(command) });
  const { ours: values, ...rivals } = await interleave(sides, context);
  const notes = [
    `${shipped ? 'The shipped model' : "Random weights of the shipped model's shape"}: ${(saved.reduce((n, p) => n + p.data.length, 0) / 1e6).toFixed(2)} M parameters, ` +
      `${batch.ids.shape[1]} tokens, all patches; a value is the median of ${STEPS} steps after ${WARMUP}.`,
  ];
  if (theirs) {
    const worst = Math.max(...theirs.map((loss, i) => Math.abs(loss - losses[i])));
    notes.push(
      `Same batch and weights: the losses of all ${theirs.length} steps differ by at most ${worst.toExponential(1)} (first ${losses[0].toFixed(4)}, last ${losses.at(-1)!.toFixed(4)}).`,
    );
  }
  return { rows: [{ name: `step of ${BATCH}`, unit: 's', values, rivals, aims: [{ rival: 'PyTorch eager', atLeast: 1 }], notes }] };
}

/** See the file's head. */
export const trainStep: Suite = {
  name: 'train-step',
  about: 'Training step of the small CLIP on 64 image–caption pairs: contrastive loss, gradients of every weight, clip to norm 1, AdamW.',
  run,
};
