/** @file A tuning step of the scenes' small LLaVA, batch 16, plain and through Vittle's bottleneck, against PyTorch eager; what the bottleneck costs. */
import { join } from 'node:path';
import { type BottleneckConfig, parseBottleneckConfig } from '../../src/bottleneck/gaussian/config.ts';
import { initialBottleneck } from '../../src/bottleneck/gaussian/module.ts';
import { ALPHA_INPUT, bottleneckNoise, noiseInput, trainingBottleneck } from '../../src/bottleneck/gaussian/train.ts';
import { openCheckpoint } from '../../src/checkpoints/disk.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import { compile } from '../../src/graph/index.ts';
import { imageTokens, type LlavaConfig } from '../../src/models/llava/config.ts';
import { frozenParameters } from '../../src/nn/parameters.ts';
import { roomyHeap } from '../../src/node/heap.ts';
import { AdamW, type Parameter } from '../../src/optim/adamw.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { floats, ints, type Tensor } from '../../src/tensor/tensor.ts';
import { llavaTrainGraph } from '../../src/tuning/llava/graph.ts';
import type { EncodedTurns } from '../../src/tuning/llava/isolated-turns.ts';
import { lossCount } from '../../src/tuning/llava/loss-average.ts';
import { startValues } from '../../src/tuning/llava/start-values.ts';
import { tokenFeeds } from '../../src/tuning/llava/token-feeds.ts';
import { lossDivisor } from '../../src/tuning/llava/update-batch.ts';
import { Peer } from '../peer.ts';
import { writeSmallLlava } from '../random-llava.ts';
import { interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';

const BATCH = 16;
const WARMUP = 2;
/** Timed steps per round; a round counts by their median. */
const STEPS = 5;
/** Steps on recorded noise, whose losses are compared before anything is timed. */
const CHECKED = 3;
const RATE = 2e-4;
const LAYER = 2;
const BETA = 0.1;
const ALPHA = 0.25;

/** A conversation's turn as the scenes' have it, in tokens: a question that is not supervised, an answer that is. */
const [QUESTION, ANSWER] = [10, 4];

/** Conversations of 5 to 7 turns of random words about an image, padded behind. */
function randomRows(config: LlavaConfig): EncodedTurns[] {
  const { vocab_size: vocabulary } = config.text_config;
  const words = new RandomStream(0, 'bench.vittle.ids').reader(0, 0);
  const word = (): number => 5 + words.integer(vocabulary - 5);
  return Array.from({ length: BATCH }, (_, b) => {
    const ids = [1, ...Array<number>(imageTokens(config)).fill(config.image_token_index)];
    const labels = ids.map(() => -100);
    for (let turn = 0; turn < 5 + (b % 3); turn++)
      for (let i = 0; i < QUESTION + ANSWER; i++) {
        ids.push(word());
        labels.push(i < QUESTION ? -100 : ids.at(-1)!);
      }
    return { ids, labels };
  });
}

/** What both sides train on: our feeds, and the file that PyTorch reads. */
async function randomBatch(config: LlavaConfig, file: string): Promise<Record<string, Tensor>> {
  const size = config.vision_config.image_size;
  const pixels = new RandomStream(0, 'bench.vittle.pixels').normals(0, 0, new Float32Array(BATCH * 3 * size * size));
  const pixelValues = floats([BATCH, 3, size, size], pixels);
  const rows = randomRows(config);
  const feeds = tokenFeeds(config, rows, BATCH);
  const { shape } = feeds.labels;
  const ids = new Int32Array(shape[0] * shape[1]);
  for (const [b, row] of rows.entries()) ids.set(row.ids, b * shape[1]);
  await writeSafetensors(file, {
    input_ids: ints(shape, ids),
    attention_mask: feeds.attention_mask,
    labels: feeds.labels,
    pixel_values: pixelValues,
  });
  return { ...feeds, pixel_values: pixelValues, loss_divisor: lossDivisor([lossCount(rows)]) };
}

/** What one side of one condition does in a round: median seconds of a step, and the losses of all. */
type Training = (steps: number) => Promise<{ seconds: number; losses: number[] }>;

/** Our training from the saved weights anew, as `sceneTuneTask` does it; noise is drawn within the step. */
async function ourTraining(
  runtime: Runtime,
  directory: string,
  config: LlavaConfig,
  batch: Record<string, Tensor>,
  bottleneck?: BottleneckConfig,
): Promise<{ train: Training; parameters: readonly Parameter[]; release(): Promise<void> }> {
  const { entries } = await openCheckpoint(directory);
  const perImage = imageTokens(config);
  const width = config.text_config.hidden_size;
  const { parameters: traced, outputs } = llavaTrainGraph(config, {
    images: true,
    trainable: name => !name.startsWith('model.vision_tower.'),
    frozen: frozenParameters(entries, directory),
    bottleneck: bottleneck && (p => trainingBottleneck(p, bottleneck, perImage)),
  });
  const saved = await startValues(traced, { entries, bottleneck, width, seed: 0 });
  const graph = await compile(runtime, outputs);
  const samples = Array.from({ length: BATCH }, (_, b) => b);
  const length = batch.input_ids.shape[1];
  const train: Training = async steps => {
    // As every training run of ours does.
    using _ = roomyHeap();
    const parameters = saved.map(p => ({ ...p, data: p.data.slice() }));
    const weights = Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
    const adamw = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 });
    const times: number[] = [];
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const from = performance.now();
      const extra = bottleneck && {
        ...bottleneckNoise(bottleneck, { samples, length, width }, 0, step),
        [ALPHA_INPUT]: floats([], [ALPHA]),
      };
      const { loss, ...rest } = await graph.run({ ...weights, ...batch, ...extra });
      const gradients = Object.entries(rest).flatMap(([key, { data }]) =>
        key.startsWith('grad.') ? [[key.slice(5), data as Float32Array] as const] : [],
      );
      adamw.step(new Map(gradients), RATE);
      times.push((performance.now() - from) / 1000);
      losses.push(Number(loss.data[0]));
    }
    return { seconds: median(times.slice(Math.min(WARMUP, steps - 1))), losses };
  };
  return { train, parameters: saved, release: () => graph.release() };
}

/** PyTorch's side: what its bottleneck starts from, and the noise of the checked steps. */
async function peerBottleneck(config: BottleneckConfig, width: number, length: number, scratch: string) {
  const weights = join(scratch, 'bottleneck.safetensors');
  const noise = join(scratch, 'noise.safetensors');
  await writeSafetensors(
    weights,
    initialBottleneck(config, width, 0).map(p => [p.name, floats(p.shape, p.data)] as const),
  );
  const samples = Array.from({ length: BATCH }, (_, b) => b);
  const size = BATCH * length * width;
  const drawn = new Float32Array(CHECKED * size);
  for (let step = 0; step < CHECKED; step++)
    drawn.set(bottleneckNoise(config, { samples, length, width }, 0, step)[noiseInput(LAYER)].data, step * size);
  await writeSafetensors(noise, { noise: floats([CHECKED, BATCH, length, width], drawn) });
  return { settings: { weights, layer: LAYER, alpha: ALPHA, beta: BETA, split: 'index' }, noise };
}

async function run(context: Context): Promise<SuiteResult> {
  const { threads } = context;
  const scratch = await context.scratch();
  const directory = join(scratch, 'small-llava');
  const config = await writeSmallLlava(directory);
  const inputs = join(scratch, 'batch.safetensors');
  const batch = await randomBatch(config, inputs);
  const width = config.text_config.hidden_size;
  const length = batch.input_ids.shape[1];
  const bottleneck = parseBottleneckConfig({ bottleneck_layers: [LAYER], beta_visual: BETA, beta_text: BETA }, 'bench');
  const runtime = nodeRuntime({ threads });
  const plain = await ourTraining(runtime, directory, config, batch);
  const vittle = await ourTraining(runtime, directory, config, batch, bottleneck);
  const peer = context.peer && (await Peer.start(threads, 'llava_torch.py'));
  const notes: string[] = [];
  try {
    const theirs = await peerBottleneck(bottleneck, width, length, scratch);
    const command = { cmd: 'train_step', directory, inputs, repeat: STEPS, warmup: WARMUP, lr: RATE };
    if (peer)
      for (const [name, ours, settings] of [
        ['plain', plain, null],
        ['with bottleneck', vittle, { ...theirs.settings, noise: theirs.noise }],
      ] as const) {
        const reply = await peer.ask({ ...command, repeat: CHECKED, warmup: 0, bottleneck: settings });
        const [own, their] = [(await ours.train(CHECKED)).losses, reply.losses as number[]];
        const worst = Math.max(...their.map((loss, i) => Math.abs(loss - own[i])));
        notes.push(
          `${name}: on the same weights, batch and noise the losses of ${CHECKED} steps differ by at most ${worst.toExponential(1)} ` +
            `(first ${own[0].toFixed(4)}, last ${own.at(-1)!.toFixed(4)}).`,
        );
        context.status(`  ${notes.at(-1)}`);
        if (!(worst < 1e-3)) throw new Error(`The sides do not compute the same (${name}): ours ${own}, PyTorch ${their}.`);
      }
    const ours = (training: Training) => async () => (await training(WARMUP + STEPS)).seconds;
    const sides: Side[] = [
      { name: 'plain', run: ours(plain.train) },
      { name: 'bottleneck', run: ours(vittle.train) },
    ];
    if (peer)
      sides.splice(1, 1, { name: 'plain, PyTorch', warm: false, run: () => peer.seconds({ ...command, bottleneck: null }) }, sides[1], {
        name: 'bottleneck, PyTorch',
        warm: false,
        run: () => peer.seconds({ ...command, bottleneck: theirs.settings }),
      });
    const values = await interleave(sides, context);
    const rivals = (name: string): Record<string, number[]> => (peer ? { 'PyTorch eager': values[name] } : {});
    const rows: Row[] = [
      {
        name: 'plain',
        unit: 's',
        values: values.plain,
        rivals: { ...rivals('plain, PyTorch'), 'with our bottleneck': values.bottleneck },
        aims: [
          { rival: 'PyTorch eager', atLeast: 1 },
          { rival: 'with our bottleneck', atMost: 1.2 },
        ],
      },
      {
        name: 'with bottleneck',
        unit: 's',
        values: values.bottleneck,
        rivals: rivals('bottleneck, PyTorch'),
        aims: [{ rival: 'PyTorch eager', atLeast: 1 }],
      },
    ];
    const count = (parameters: readonly Parameter[]): string => (parameters.reduce((n, p) => n + p.data.length, 0) / 1e6).toFixed(2);
    const share = (of: string): string =>
      `${((median(values[of].map((v, i) => v / values[of.replace('bottleneck', 'plain')][i])) - 1) * 100).toFixed(0)} %`;
    notes.push(
      `Random weights; ${count(plain.parameters)} M parameters trained (${count(vittle.parameters)} M with the bottleneck after block ${LAYER}), ` +
        `${BATCH} × ${length} tokens, ${imageTokens(config)} of them an image's; a value is the median of ${STEPS} steps after ${WARMUP}.`,
      `The bottleneck adds ${share('bottleneck')} to our step${peer ? `, ${share('bottleneck, PyTorch')} to PyTorch's` : ''}.`,
    );
    return { rows, notes };
  } finally {
    peer?.stop();
    await plain.release();
    await vittle.release();
  }
}

/** See the file's head. */
export const vittleStep: Suite = {
  name: 'vittle-step',
  about:
    "Tuning step of the scenes' small LLaVA (tower frozen), plain and through Vittle's bottleneck: forward, loss, gradients, clip to norm 1, AdamW.",
  run,
};
