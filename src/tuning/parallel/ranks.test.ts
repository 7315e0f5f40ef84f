/** Training by several processes of Open MPI ends in the bits of training by one. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readTensor } from '../../checkpoints/safetensors.ts';
import { type Ended, mpirun, withoutMpi } from '../../node/mpi/testing/mpirun.ts';
import { clipTrainingSchema } from '../clip/arguments.ts';
import { TINY } from '../clip/testdata/tiny.ts';
import { trainClip } from '../clip/train.ts';
import { tuneTrainingSchema } from '../llava/arguments.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from '../llava/testing/tiny-llava.ts';
import { trainLlava } from '../llava/train.ts';
import type { TrainJob } from './testing/train-jobs.ts';

const SCRIPT = fileURLToPath(new URL('testing/train-jobs.ts', import.meta.url));
const CLIP = { ...TINY, ...{ max_steps: 6, logging_steps: 2, eval_steps: 3, save_steps: 2, gradient_accumulation_steps: 4 } };

describe.skipIf(withoutMpi)(`training by several processes${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
  let root: string;
  let tune: Record<string, unknown>;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'narrows-ranks-'));
    const { path } = await writeTinyData(root, 20);
    const model = await writeTinyLlava(join(root, 'model'));
    tune = {
      ...TINY_RUN,
      ...{ max_steps: 4, logging_steps: 2, eval_steps: 4, save_steps: 2 },
      model,
      data_path: path,
      validation_file: path,
      eval_samples: 5,
    };
  });
  afterAll(() => rm(root, { recursive: true }));

  const start = async (ranks: number, jobs: readonly TrainJob[]): Promise<Ended> => {
    const file = join(root, 'jobs.json');
    await writeFile(file, JSON.stringify(jobs));
    return mpirun(ranks, SCRIPT, [file]);
  };

  const alone = async ({ kind, args }: TrainJob): Promise<void> => {
    if (kind === 'clip') await trainClip(clipTrainingSchema.parse(args));
    else await trainLlava(tuneTrainingSchema.parse(args));
  };

  /** All files but those that say how fast it went; metrics.jsonl without what a clock measured. */
  async function expectEqualRuns(one: string, many: string): Promise<void> {
    const listing = async (directory: string): Promise<string[]> =>
      (await readdir(directory, { recursive: true, withFileTypes: true }))
        .filter(entry => entry.isFile() && !entry.name.includes('tfevents'))
        .map(entry => join(entry.parentPath, entry.name).slice(directory.length))
        .sort();
    expect(await listing(many)).toEqual(await listing(one));
    for (const name of await listing(one)) {
      const [a, b] = await Promise.all([one, many].map(directory => readFile(join(directory, name), 'utf8')));
      if (name.endsWith('metrics.jsonl')) expect(b).toBe(a.replace(/,"tokens_per_second":[\d.e+-]+/g, ''));
      else if (name.endsWith('training_args.json'))
        expect(JSON.parse(b)).toEqual({ ...JSON.parse(a), shard_optimizer: JSON.parse(b).shard_optimizer });
      else expect(b === a, name).toBe(true);
    }
  }

  it('gives the files of one, for every method, optimiser and way of keeping its state', async () => {
    const cases: Record<string, TrainJob> = {
      clip: { kind: 'clip', args: CLIP },
      muon: { kind: 'clip', args: { ...CLIP, optim: 'muon', shard_optimizer: true } },
      full: { kind: 'tune', args: { ...tune, method: 'full', shard_optimizer: true, mm_projector_lr: 1e-3 } },
      lora: { kind: 'tune', args: { ...tune, method: 'lora', lora_r: 2, lora_dropout: 0.2 } },
      vittle: { kind: 'tune', args: { ...tune, method: 'vittle', prior: 'learnable' } },
    };
    const into = (where: string): TrainJob[] =>
      Object.entries(cases).map(([name, { kind, args }]) => ({ kind, args: { ...args, output_dir: join(root, where, name) } }));
    for (const job of into('one')) await alone(job);
    const { code, stderr } = await start(2, into('two'));
    expect(code, stderr).toBe(0);
    for (const name of Object.keys(cases)) await expectEqualRuns(join(root, 'one', name), join(root, 'two', name));
  }, 600_000);

  it('shares the rows of an update that has one micro-batch: the run of one process but for rounding, also resumed by more', async () => {
    // An ε that rounding is small beside: with the usual one Adam makes full steps of gradients that are rounding and nothing else.
    const together = { ...CLIP, ...{ gradient_accumulation_steps: 1, per_device_train_batch_size: 7, adam_epsilon: 1e-3 } };
    const into = (name: string, more: object = {}): TrainJob => ({
      kind: 'clip',
      args: { ...together, ...more, output_dir: join(root, 'together', name) },
    });
    await alone(into('one'));
    const two = await start(2, [into('two'), { ...into('killed', { shard_optimizer: true }), kill: { rank: 1, step: 3 } }]);
    expect(two.code).not.toBe(0);
    const three = await start(3, [into('three'), into('killed', { shard_optimizer: true })]);
    expect(three.code, three.stderr).toBe(0);
    const farthest = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    const weightsOf = async (name: string): Promise<Map<string, Float32Array>> => {
      const { tensors } = await openSafetensors(join(root, 'together', name, 'model.safetensors'));
      const read = [...tensors].map(async ([key, entry]) => [key, (await readTensor(entry)).data as Float32Array] as const);
      return new Map(await Promise.all(read));
    };
    const lossesOf = async (name: string): Promise<number[]> =>
      (await readFile(join(root, 'together', name, 'metrics.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .flatMap(line => JSON.parse(line).contrastive ?? []);
    const [wanted, losses] = [await weightsOf('one'), await lossesOf('one')];
    expect(losses).toHaveLength(3);
    // What is compared is what was learnt, not where all began.
    const before = await weightsOf('one/checkpoint-4');
    const moved = [...wanted].map(([key, values]) => farthest(values, before.get(key)!));
    expect(Math.max(...moved)).toBeGreaterThan(1e-4);
    for (const name of ['two', 'three', 'killed']) {
      const found = await weightsOf(name);
      for (const [key, values] of wanted) {
        expect(farthest(values, found.get(key)!), `${name}: ${key}`).toBeLessThan(1e-6);
      }
      for (const [i, loss] of (await lossesOf(name)).entries()) expect(loss / losses[i]).toBeCloseTo(1, 6);
    }
  }, 600_000);

  it('goes on from a checkpoint with another number of them', async () => {
    const from = join(root, 'one', 'clip', 'checkpoint-4');
    const many = join(root, 'three');
    const log = join(root, 'one', 'clip', 'metrics.jsonl');
    await mkdir(many);
    await cp(from, join(many, 'checkpoint-4'), { recursive: true });
    await writeFile(join(many, 'metrics.jsonl'), (await readFile(log, 'utf8')).split('\n').slice(0, 3).join('\n').concat('\n'));
    const { code, stderr } = await start(3, [{ kind: 'clip', args: { ...CLIP, output_dir: many, shard_optimizer: true } }]);
    expect(code, stderr).toBe(0);
    await expectEqualRuns(join(root, 'one', 'clip'), many);
  });

  it('ends when one is killed, and the same call goes on to the same bits', async () => {
    const many = join(root, 'killed');
    const job: TrainJob = { kind: 'clip', args: { ...CLIP, output_dir: many } };
    const first = await start(2, [{ ...job, kill: { rank: 1, step: 3 } }]);
    expect(first.code).not.toBe(0);
    expect(await readdir(many)).toContain('checkpoint-2');
    expect(await readdir(many)).not.toContain('model.safetensors');
    const second = await start(2, [job]);
    expect(second.code, second.stderr).toBe(0);
    await expectEqualRuns(join(root, 'one', 'clip'), many);
  });
});
