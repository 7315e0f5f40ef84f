/** @file The official M2IB to the letter (ten steps of ten samples) on ViT-B/32's shape, against PyTorch: the official code and rewrites. */
import { join } from 'node:path';
import { compileGate } from '../../src/bottleneck/gate-graph.ts';
import { optimiseGate } from '../../src/bottleneck/optimise-gate.ts';
import { openSafetensors } from '../../src/checkpoints/disk.ts';
import { readFloats } from '../../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import type { Modality } from '../../src/models/dual-encoder.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import { stepFlops } from '../flops.ts';
import { clock, interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';
import { gemmRate } from './gemm.ts';

/** Twelve tokens, start and end included. */
export const IDS = [49406, 320, 1125, 539, 320, 2368, 537, 320, 1929, 525, 518, 49407];
const LAYER = 9;
const OPTIONS = { beta: 0.1, steps: 10, learningRate: 1, batchSize: 10, antithetic: false, perToken: false, alphaStart: 5, official: true };

/** The rivals of the official mathematics, as commands of the worker. */
export const RIVALS: readonly { readonly name: string; readonly command: Readonly<Record<string, unknown>>; readonly slow?: boolean }[] = [
  { name: 'official', command: { cmd: 'official' }, slow: true },
  { name: 'rewrite', command: { cmd: 'rewrite' } },
  { name: 'rewrite onednn+fold', command: { cmd: 'rewrite', onednn: true, fold: true } },
];

/** What every run of both sides is given. */
export const pixelsFor = (size: number): Float32Array =>
  new RandomStream(1, 'bench.pixels').normals(0, 0, new Float32Array(3 * size * size));

async function run(context: Context, modality: Modality, aims: Row['aims']): Promise<SuiteResult> {
  const { peer, threads, status } = context;
  const directory = await context.b32();
  const runtime = nodeRuntime({ threads });
  await using model = await CLIPModel.fromPretrained(directory, { runtime });
  const { vision_config: vision, text_config: text } = model.config;
  const size = vision.image_size;
  const pixels = floats([1, 3, size, size], pixelsFor(size));
  const ids = ints([1, IDS.length], IDS);
  const tower = model[modality];
  const inputs = modality === 'image' ? model.imageInputs(pixels) : model.textInputs(ids);
  const encode = async () => ({
    hidden: (await model.runTower(tower, inputs, LAYER)).hidden,
    target: modality === 'image' ? await model.textFeatures(ids) : await model.imageFeatures(pixels),
  });
  const base = { runtime, tower, layer: LAYER, inputs, options: OPTIONS };
  const compiled = performance.now();
  await using graph = await compileGate({ ...base, ...(await encode()), standardised: false });
  const compileSeconds = (performance.now() - compiled) / 1000;

  const steps: number[] = [];
  const sides: Side[] = [
    {
      name: 'ours',
      async run(round) {
        let inSteps = 0;
        const seconds = await clock(async () => {
          const encoded = await encode();
          inSteps = await clock(async () => {
            const [{ information }] = await optimiseGate({ ...base, ...encoded, seed: Math.max(0, round) }, graph);
            if (!Number.isFinite(information[0])) throw new Error('The map is not finite.');
          });
        });
        if (round >= 0) steps.push(inSteps);
        return seconds;
      },
    },
  ];
  const notes: string[] = [];
  if (peer) {
    await peer.load(directory);
    const scratch = await context.scratch();
    const [tokens, width] = [modality === 'image' ? (size / vision.patch_size) ** 2 + 1 : IDS.length, tower.width];
    const noise = new RandomStream(2, 'bench.noise').normals(0, 0, new Float32Array(OPTIONS.steps * OPTIONS.batchSize * tokens * width));
    const file = join(scratch, 'inputs.safetensors');
    await writeSafetensors(file, { pixel_values: pixels });
    const noisy = join(scratch, 'noise.safetensors');
    await writeSafetensors(noisy, { pixel_values: pixels, noise: floats([OPTIONS.steps, OPTIONS.batchSize, tokens, width], noise) });
    const step = noise.length / OPTIONS.steps;
    const shape = [OPTIONS.batchSize, tokens, width];
    const drawn = (i: number) => floats(shape, noise.subarray(i * step, (i + 1) * step));
    const [own] = await optimiseGate({ ...base, ...(await encode()), seed: 0, noise: drawn, trace: true }, graph);
    const asked = { ids: IDS, modality, layer: LAYER, beta: OPTIONS.beta, steps: OPTIONS.steps, batch: OPTIONS.batchSize };
    for (const { name, command, slow } of RIVALS) {
      if (slow && context.slowRounds === 0) continue;
      // The rehearsal is put to use: with the same noise both sides must come to the same gate.
      status(`  rehearsal on recorded noise: ${name}`);
      const out = join(scratch, 'out.safetensors');
      await peer.ask({ ...command, ...asked, pixels: noisy, out });
      const alpha = await readFloats((await openSafetensors(out)).tensors.get('alpha')!);
      const last = alpha.subarray(alpha.length - own.alpha.length);
      let worst = 0;
      for (let i = 0; i < last.length; i++) worst = Math.max(worst, Math.abs(last[i] - own.alpha[i]));
      notes.push(
        `On the same noise, alpha after ten steps differs from ${name}'s by at most ${worst.toExponential(1)} (it moves by up to 10).`,
      );
      const seconds = (round: number) => peer.seconds({ ...command, ...asked, pixels: file, seed: Math.max(0, round) });
      sides.push({ name, slow, warm: false, run: seconds });
    }
  }
  await using products = await gemmRate(threads);
  const rates = [await products.rate()];
  const { ours: values, ...rivals } = await interleave(sides, context);
  rates.push(await products.rate());
  const tokens = modality === 'image' ? (size / vision.patch_size) ** 2 + 1 : IDS.length;
  const flops = stepFlops(modality === 'image' ? vision : text, LAYER, tokens, OPTIONS.batchSize);
  // The official read-out throws the last step's gradient away, so we do not compute it: half a step less.
  const done = OPTIONS.steps - 0.5;
  const inSteps = median(steps);
  const reached = (done * flops.rows) / inSteps;
  const rate = rates.reduce((a, b) => a + b) / rates.length;
  return {
    rows: [
      {
        name: `${modality} map`,
        unit: 's',
        values,
        rivals,
        aims,
        notes: [
          `prefix and other tower ${(median(values) - inSteps).toFixed(3)} s, ten steps ${inSteps.toFixed(3)} s (the last one forward only); compiling, not timed: ${compileSeconds.toFixed(1)} s.`,
          `${flops.rows.toFixed(1)} GFLOP a step in the products over all rows (${flops.all.toFixed(1)} with the rest); the steps run at ${reached.toFixed(0)} GFLOP/s, ` +
            `${((100 * reached) / rate).toFixed(0)} % of the ${rate.toFixed(0)} GFLOP/s that sgemm 500×768×3072 and 500×3072×768 reached in this run.`,
        ],
      },
    ],
    notes,
  };
}

const about = (side: string): string =>
  `${side} map of one pair, ViT-B/32's shape, 12 tokens, gate on block 9, 10 steps × 10 samples, the official mathematics. Timed: prefix, other tower, steps.`;

/** Image map. */
export const m2ibImageOfficial: Suite = {
  name: 'm2ib-image-official',
  about: about('Image'),
  run: context =>
    run(context, 'image', [
      { rival: 'official', atLeast: 30 },
      { rival: 'rewrite onednn+fold', atLeast: 1.8 },
    ]),
};

/** Text map. */
export const m2ibTextOfficial: Suite = {
  name: 'm2ib-text-official',
  about: about('Text'),
  run: context => run(context, 'text', [{ rival: 'official', atLeast: 150 }]),
};
