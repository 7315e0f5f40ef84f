/** A batch shared by ranks has the loss and the gradients of the batch in one process. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { leavesOf } from '../parallel/leaves.ts';
import { ranksHere } from '../parallel/testing/ranks-here.ts';
import { clipTrainingSchema } from './arguments.ts';
import { type Batch, sceneBatch } from './batch.ts';
import { type GatheredGraphs, gatheredStep, rowsOf, sharedBatch } from './gathered.ts';
import { contrastGraph, featureGraph, gatheredGraph, trainGraph } from './graph.ts';
import { initialiseCLIP } from './initialise.ts';
import { sceneSource } from './source.ts';
import { TINY } from './testdata/tiny.ts';

const BATCH = 7;
const WEIGHTS = { contrastive: 0.7, naming: 1.3, dense: 0.4 };
const args = clipTrainingSchema.parse({ ...TINY, patch_size: 24, vision_num_hidden_layers: 1, output_dir: 'none' });
const { config } = sceneSource(args);
const runtime = nodeRuntime({ threads: 1 });

let parameters: Parameter[];
let whole: CompiledGraph;
let graphs: GatheredGraphs;
let batch: Batch;
beforeAll(async () => {
  const traced = trainGraph(config, WEIGHTS, 2, true);
  parameters = initialiseCLIP(config, traced.parameters, 5);
  whole = await compile(runtime, traced.outputs);
  graphs = {
    features: await compile(runtime, featureGraph(config)),
    contrast: await compile(runtime, contrastGraph(config, WEIGHTS.contrastive)),
    backward: await compile(runtime, gatheredGraph(config, WEIGHTS, 2)),
  };
  const drawn = sceneBatch(
    await loadSprites(),
    {
      ...{ seed: 3, batchSize: BATCH, imageSize: 96, patchSize: 24, imageMean: [0.5, 0.5, 0.5], imageStd: [0.3, 0.3, 0.3] },
      ...{ curriculumSteps: 1, maxObjects: 2, namesPerStep: 16, keptPatches: [] },
    },
    9,
  );
  // Rows 1 and 5, which lie on different ranks, are one target.
  const groups = ints([BATCH], [0, 1, 2, 3, 4, 1, 6]);
  batch = { ...drawn, groups };
});
afterAll(async () => {
  for (const graph of [whole, ...Object.values(graphs)]) await graph.release();
  await runtime.release();
});

const weights = () => Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));

/** What the update of so many ranks is made of. */
async function together(size: number, given = batch) {
  const shares = await Promise.all(
    ranksHere(size).map(ranks => {
      const rows = leavesOf(BATCH, ranks.rank, size);
      const step = gatheredStep(graphs, { ranks, size: BATCH, rows }, WEIGHTS, config.projection_dim, async () => rowsOf(given, rows));
      return step.run(weights(), 0);
    }),
  );
  const add = (values: readonly ArrayLike<number>[]): number[] =>
    Array.from(values[0], (_, i) => values.reduce((sum, each) => sum + each[i], 0));
  return {
    figure: (name: string) => shares.reduce((sum, { figures }) => sum + figures[name], 0),
    gradient: (name: string) => add(shares.map(({ gradients }) => gradients.get(name)!)),
  };
}

describe('a batch that ranks share', () => {
  it.each([1, 2, 3])('has the loss and every gradient of the whole, on %i', async size => {
    const wanted = await whole.run({ ...weights(), ...batch });
    const found = await together(size);
    for (const name of ['loss', 'contrastive', 'naming', 'dense'])
      expect(found.figure(name) / Number(wanted[name].data[0]), name).toBeCloseTo(1, 6);
    for (const { name } of parameters) {
      const right = wanted[`grad.${name}`].data as Float32Array;
      const largest = right.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = found.gradient(name).reduce((most, value, i) => Math.max(most, Math.abs(value - right[i])), 0);
      // Keys have no bias that matters: the gradient there is rounding, and nothing else.
      if (name.endsWith('k_proj.bias')) expect(off).toBeLessThan(1e-6);
      else expect(off / largest, name).toBeLessThan(5e-6);
    }
  });

  it('has no loss that is not a number where a rank has no right name', async () => {
    const owners = Int32Array.from(batch.owners.data as Int32Array);
    owners.fill(-1, 0, (owners.length / BATCH) * 3);
    const given = { ...batch, owners: ints(batch.owners.shape, owners) };
    const wanted = await whole.run({ ...weights(), ...given });
    const found = await together(2, given);
    expect(found.figure('dense') / Number(wanted.dense.data[0])).toBeCloseTo(1, 6);
    expect(found.figure('loss') / Number(wanted.loss.data[0])).toBeCloseTo(1, 6);
  });

  it('is one where an update has one micro-batch, with a row for every rank', () => {
    const ranks = { rank: 1, size: 3 } as Ranks;
    const of = (steps: number, rows: number) =>
      sharedBatch({ gradient_accumulation_steps: steps, per_device_train_batch_size: rows }, ranks);
    expect(of(1, 7)!.rows).toEqual({ from: 2, to: 4 });
    expect(of(3, 7)).toBeUndefined();
    expect(() => of(1, 2)).toThrow('one micro-batch of 2 samples for 3 processes');
  });
});
