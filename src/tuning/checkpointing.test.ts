import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../checkpoints/write.ts';
import { compile, grad, input, mul, sub, sum } from '../graph/index.ts';
import { AdamW, type Parameter } from '../optim/adamw.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import { parseArguments, type TrainingArguments, trainingArgumentsSchema } from './arguments.ts';
import { removeLeftovers, resumeNewest, writeCheckpoint } from './checkpointing.ts';
import { compareWithCheckpoint } from './compatible.ts';
import { type TrainTask, train } from './trainer.ts';

let root: string;
let directory: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-checkpoints-'));
});
beforeEach(() => {
  directory = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true }));

const parameter = (...values: number[]): Parameter => ({ name: 'w', shape: [values.length], data: Float32Array.from(values) });
const saver = (p: Parameter) => (to: string) => writeSafetensors(join(to, 'model.safetensors'), { w: floats(p.shape, p.data) });

/** Writes checkpoints whose weights are [step, step]. */
async function write(limit: number, ...steps: number[]): Promise<void> {
  for (const step of steps) {
    const p = parameter(step, step);
    await writeCheckpoint(directory, { global_step: step }, new AdamW([p]), saver(p), limit);
  }
}

async function resume() {
  const p = parameter(-1, -1);
  const warnings: string[] = [];
  const found = await resumeNewest(directory, [p], new AdamW([p]), message => warnings.push(message));
  return { step: found?.state.global_step, weights: [...p.data], warnings };
}

describe('checkpoints', () => {
  it('are kept up to the limit, and the newest is taken up', async () => {
    await write(2, 9, 10, 100);
    expect((await readdir(directory)).sort()).toEqual(['checkpoint-10', 'checkpoint-100']);
    expect(await resume()).toEqual({ step: 100, weights: [100, 100], warnings: [] });
  });

  it('that are broken are ignored with a warning', async () => {
    await write(3, 1, 2, 3);
    await truncate(join(directory, 'checkpoint-3/model.safetensors'), 30);
    await rm(join(directory, 'checkpoint-2/optimizer.safetensors'));
    const { step, weights, warnings } = await resume();
    expect([step, weights]).toEqual([1, [1, 1]]);
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toMatch(/checkpoint-3\/model\.safetensors.*\. Resuming from .*checkpoint-1 instead\.$/);
  });

  it.each([
    ['an empty state', 'trainer_state.json', '{}', /trainer_state\.json is no trainer's state/],
    ['a torn state', 'trainer_state.json', '{"global', /is not valid JSON/],
    ['a torn optimiser', 'optimizer.safetensors', 'abc', /optimizer\.safetensors/],
  ])('all broken (%s): one sentence, and no weight is touched', async (_, file, content, message) => {
    await write(3, 5);
    await writeFile(join(directory, 'checkpoint-5', file), content);
    const p = parameter(-1, -1);
    const attempt = resumeNewest(directory, [p], new AdamW([p]), () => {});
    await expect(attempt).rejects.toThrow(NarrowsError);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/^No checkpoint in .* can be taken up; delete them to start afresh\./);
    expect([...p.data]).toEqual([-1, -1]);
  });

  it.each(['model.safetensors', 'optimizer.safetensors'])('with one changed byte in %s are ignored', async name => {
    await write(3, 3, 5);
    const path = join(directory, 'checkpoint-5', name);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(path, bytes);
    const warnings: string[] = [];
    const p = parameter(-1, -1);
    const resumed = await resumeNewest(directory, [p], new AdamW([p]), m => warnings.push(m));
    expect(resumed?.state.global_step).toBe(3);
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`checkpoint-5.${name} is not what was saved .*Resuming from .*checkpoint-3`)),
    ]);
  });

  it('of another model are refused by the tensor', async () => {
    await write(3, 5);
    const p = parameter(0, 0, 0);
    await expect(resumeNewest(directory, [p], new AdamW([p]), () => {})).rejects.toThrow(
      'lacks the tensor "w" with 3 values; it belongs to another model.',
    );
  });

  it('that cannot be written leave nothing behind and tell the reason', async () => {
    const p = parameter(1);
    const broken = async (to: string): Promise<void> => {
      await writeFile(join(to, 'half'), 'x');
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    await expect(writeCheckpoint(directory, { global_step: 1 }, new AdamW([p]), broken, 2)).rejects.toThrow(
      /Cannot write .*: the disk is full; free some space/,
    );
    expect(await readdir(directory)).toEqual([]);
    await writeFile(`${directory}file`, '');
    await expect(writeCheckpoint(`${directory}file`, { global_step: 1 }, new AdamW([p]), broken, 2)).rejects.toThrow(
      'a part of the path is a file',
    );
  });

  it('half-written, half-removed, and files being written are removed; nothing else', async () => {
    await write(2, 1);
    for (const name of ['.checkpoint-7.tmp', '.checkpoint-3.old']) await mkdir(join(directory, name, 'deep'), { recursive: true });
    for (const name of ['model.safetensors.0123456789ab.tmp', 'notes.tmp', '.checkpoint-x.tmp']) await writeFile(join(directory, name), '');
    await removeLeftovers(directory);
    expect((await readdir(directory)).sort()).toEqual(['.checkpoint-x.tmp', 'checkpoint-1', 'notes.tmp']);
    await removeLeftovers(join(directory, 'nowhere'));
  });
});

describe('arguments of a resumed run', () => {
  const defaults = { max_steps: 10, seed: 0, width: 8, dropout: 0 };
  const compare = (now: object): Promise<string[]> =>
    compareWithCheckpoint(directory, { ...defaults, ...now }, defaults, new Set(['seed', 'width']));
  beforeEach(async () => {
    await write(2, 4);
    await writeFile(join(directory, 'checkpoint-4/training_args.json'), JSON.stringify({ max_steps: 10, seed: 0, width: 8 }));
  });

  it('may be the same, or new ones at their defaults', async () => expect(await compare({})).toEqual([]));

  it('are refused where the checkpoint depends on them, by name', async () => {
    await expect(compare({ seed: 1, width: 16 })).rejects.toThrow(
      /checkpoint-4 was trained with other arguments: seed \(was 0, now 1\), width \(was 8, now 16\); choose another output_dir/,
    );
    await expect(compare({ seed: 1 })).rejects.toMatchObject({ kind: 'usage' });
  });

  it('are reported where they change the rest of the run', async () => {
    expect(await compare({ max_steps: 20, logging_steps: 5, dropout: 0.5, output_dir: 'elsewhere' })).toEqual([
      'From step 4 on the learning rate takes another course: max_steps (was 10, now 20).',
      'From step 4 on figures and checkpoints come at other steps: logging_steps (was not given, now 5).',
      'From step 4 on training goes another way than it began: dropout (was 0, now 0.5).',
    ]);
  });

  it('fail one by one with the name of the argument', () => {
    const parse = (json: object) => parseArguments(trainingArgumentsSchema, { output_dir: 'x', ...json });
    expect(() => parse({ adam_beta1: 1 })).toThrow(/^In the training arguments, "adam_beta1" is wrong: /);
    expect(() => parse({ max_step: 5 })).toThrow(/max_step/);
    for (const field of Object.values(trainingArgumentsSchema.shape)) expect(field.description).toMatch(/^.{10,110}$/);
  });
});

describe('the trainer', () => {
  /** Squared distance of w to the numbers of the step. */
  async function makeTask(p: Parameter, bad?: number): Promise<TrainTask> {
    const w = input('w', [2]);
    const x = input('x', [2]);
    const distance = sub(w, x);
    const loss = sum(mul(distance, distance));
    const [g] = grad(loss, [w]);
    const graph = await compile(nodeRuntime({ threads: 1 }), { loss, 'grad.w': g });
    return {
      parameters: [p],
      graph,
      batch: async step => ({ x: floats([2], [step === bad ? Number.NaN : 1, 2]) }),
      save: saver(p),
    };
  }
  const argumentsOf = (json: object): TrainingArguments => trainingArgumentsSchema.parse({ output_dir: directory, ...json });

  it('minimises, logs means and writes checkpoints without any listener', async () => {
    const p = parameter(0, 0);
    const task = await makeTask(p);
    expect(await train(task, argumentsOf({ max_steps: 300, learning_rate: 0.05, weight_decay: 0 }))).toEqual({ step: 300, finished: true });
    expect(p.data[0]).toBeCloseTo(1, 1);
    expect(p.data[1]).toBeCloseTo(2, 1);
    expect((await readdir(directory)).sort()).toEqual(['checkpoint-200', 'checkpoint-300']);
    const logs: [number, object][] = [];
    directory += 'again';
    const still = { max_steps: 4, logging_steps: 2, learning_rate: 0 };
    await train(await makeTask(parameter(0, 0)), argumentsOf(still), { onLog: (step, metrics) => logs.push([step, { ...metrics }]) });
    expect(logs).toEqual([2, 4].map(step => [step, { loss: 5, grad_norm: Math.sqrt(20), learning_rate: 0 }]));
    await task.graph.release();
  });

  it('stops in one sentence where a gradient is not finite, the last checkpoint unharmed', async () => {
    const task = await makeTask(parameter(0, 0), 3);
    const run = train(task, argumentsOf({ max_steps: 6, save_steps: 2 }));
    await expect(run).rejects.toThrow("The gradient's norm is NaN at step 4; lower the learning rate or look for bad data.");
    await expect(run).rejects.toThrow(NarrowsError);
    expect(await readdir(directory)).toEqual(['checkpoint-2']);
    await task.graph.release();
  });

  it('refuses data that changed since', async () => {
    const task = await makeTask(parameter(0, 0));
    await train({ ...task, dataHash: 'one' }, argumentsOf({ max_steps: 2 }));
    expect(JSON.parse(await readFile(join(directory, 'checkpoint-2/trainer_state.json'), 'utf8')).data).toBe('one');
    await expect(train({ ...task, dataHash: 'two' }, argumentsOf({ max_steps: 4 }))).rejects.toThrow(
      /^The training data is not what .*checkpoint-2 was trained on; choose another output_dir\.$/,
    );
    await task.graph.release();
  });
});
