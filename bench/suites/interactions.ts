/**
 * @file Second-order Banzhaf interactions of 49 patches and 16 words at FIxLIP's budget of 2²¹ values, against the formulation as published:
 * both towers run again for every batch of 64 images by 64 texts, and a dense design of all main effects and pairs. The published form would
 * take an hour and 36 GB, so a slice of it is timed and scaled.
 */
import { banzhafInteractions, splitMasks } from '../../src/attribution/methods/banzhaf-interactions.ts';
import { compile, input, matmul } from '../../src/graph/index.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import { explainTensors } from '../../src/verify/tensor-run.ts';
import { clock, interleave, type Side } from '../rounds.ts';
import type { Context, Suite, SuiteResult } from '../suite.ts';
import { maskPairs } from './b32-masks.ts';

const PATCHES = 49;
const WORDS = 16;
const BUDGET = 2 ** 21;
/** Batch of the published code, on each side. */
const BLOCK = 64;
/** Rows of the dense design that are timed. */
const DESIGN_ROWS = 8192;
const MB = 1e6;

async function run(context: Context): Promise<SuiteResult> {
  const { threads, status } = context;
  await using model = await CLIPModel.fromPretrained(await context.b32(), { runtime: nodeRuntime({ threads }) });
  const pair = maskPairs(model, 1, WORDS);
  const options = { budget: BUDGET, within: true };
  const split = splitMasks({ ...options, imageMasks: 0, textMasks: 0 }, PATCHES, WORDS);
  const peaks: number[] = [];

  const explain = async (more: Record<string, unknown>, seed: number): Promise<void> => {
    await explainTensors(model, banzhafInteractions, pair, { options: { ...options, ...more }, seed });
  };
  const ours: Side = {
    name: 'ours',
    warm: false,
    async run(round) {
      // Weights are mapped and sessions compiled by then, as for the other side: what counts is what the call adds.
      await explain({ budget: undefined, imageMasks: 128, textMasks: 64, within: false }, 0);
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 200);
      const seconds = await clock(() => explain({}, round));
      clearInterval(watch);
      peaks.push((peak - before) / MB);
      return seconds;
    },
  };

  // One of the published form's ⌈m_I/64⌉·⌈m_T/64⌉ cells: both towers in full.
  const pixels = floats([BLOCK, ...pair.pixelValues.shape.slice(1)], new Float32Array(BLOCK * pair.pixelValues.data.length));
  new RandomStream(1, 'bench.masked').normals(0, 0, pixels.data);
  const ids = Int32Array.from({ length: BLOCK * (WORDS + 2) }, (_, i) => Number(pair.inputIds.data[i % (WORDS + 2)]));
  const mask = Int32Array.from(ids, (_, i) => (i % 7 === 3 && i % (WORDS + 2) > 0 && i % (WORDS + 2) < WORDS + 1 ? 0 : 1));
  const shape = [BLOCK, WORDS + 2];
  const cell = async (): Promise<void> => {
    await model.imageFeatures(pixels);
    await model.textFeatures(ints(shape, ids), ints(shape, mask));
  };
  const cells = Math.ceil(split.image / BLOCK) * Math.ceil(split.text / BLOCK);
  // ΦᵀΦ of a strip of the design: float32 in the runtime, which favours the published form (float64 there).
  const columns = 1 + PATCHES + WORDS + ((PATCHES + WORDS) * (PATCHES + WORDS - 1)) / 2;
  const strip = input('design', ['rows', columns]);
  await using gram = await compile(model.runtime, { gram: matmul(strip, strip, { transA: true }) });
  const design = floats([DESIGN_ROWS, columns], new Float32Array(DESIGN_ROWS * columns));
  const parts = { towers: [] as number[], design: [] as number[] };
  const published: Side = {
    name: 'published, scaled',
    async run(round) {
      const towers = (await clock(cell)) * cells;
      const dense = (await clock(() => gram.run({ design }))) * (BUDGET / DESIGN_ROWS);
      if (round >= 0) {
        parts.towers.push(towers);
        parts.design.push(dense);
      }
      return towers + dense;
    },
  };
  const fewer: Side = {
    name: 'defaults',
    warm: false,
    run: round => clock(() => explain({ budget: undefined, within: false }, Math.max(0, round))),
  };
  const rounds = { repeat: Math.max(1, context.slowRounds), slowRounds: Math.max(1, context.slowRounds), status };
  const { ours: values, defaults, ...rivals } = await interleave([ours, fewer, published], rounds);
  const show = (v: readonly number[]): string => v.map(x => x.toFixed(0)).join(', ');
  return {
    rows: [
      {
        name: `budget 2^21: ${split.image} image masks, ${split.text} text masks`,
        unit: 's',
        values,
        rivals,
        aims: [{ rival: 'published, scaled', atLeast: 5 }],
        notes: [
          `Published, scaled: ${cells} cells of ${BLOCK} images by ${BLOCK} texts (${show(parts.towers)} s), and the normal equations of ` +
            `${BUDGET} × ${columns} values from ${DESIGN_ROWS} rows in float32 (${show(parts.design)} s); filling the design is not counted.`,
        ],
      },
      {
        name: 'defaults: 1,024 image masks, 256 text masks, pairs across',
        unit: 's',
        values: defaults,
        rivals,
        aims: [{ rival: 'published, scaled', atLeast: 20 }],
        notes: ['What fewer masks cost in p-faithfulness: bench/evidence/interaction-budget.ts.'],
      },
      {
        name: 'memory that a call adds',
        unit: 'MB',
        values: peaks,
        aims: [{ atMost: 500 }],
        notes: ['Peak resident size of the process over that before the call, every 0.2 s.'],
      },
    ],
  };
}

/** See the file's head. */
export const interactions: Suite = {
  name: 'interactions',
  about: "Second-order Banzhaf interactions, 49 patches by 16 words on ViT-B/32's shape, all main effects and pairs, budget 2^21.",
  run,
};
