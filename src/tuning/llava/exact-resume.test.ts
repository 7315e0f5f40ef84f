/** Runs are killed with SIGKILL at random points, in a process of their own, and must end in the same bits. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import { started } from '../../testing/compiled.ts';
import { tuneTrainingSchema } from './arguments.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

let root: string;
let base: Record<string, unknown>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-llava-resume-'));
  const { path } = await writeTinyData(root, 20);
  base = { ...TINY_RUN, model: await writeTinyLlava(join(root, 'model')), data_path: path, validation_file: path, eval_samples: 5 };
});
afterAll(() => rm(root, { recursive: true }));

const RUNNER = fileURLToPath(new URL('testing/train-and-crash.ts', import.meta.url));

/** Runs in a child. @returns the signal or exit code that ended it, and what it said */
async function start(args: object, ...point: string[]): Promise<{ end: string | number; said: string }> {
  const file = join(root, 'args.json');
  await writeFile(file, JSON.stringify(args));
  return new Promise(resolve => {
    execFile(process.execPath, [...started(RUNNER), file, ...point], (error, _, said) =>
      resolve({ end: error?.signal ?? (error?.code as number | undefined) ?? 0, said }),
    );
  });
}

async function expectKilled(args: object, ...point: string[]): Promise<void> {
  const { end, said } = await start(args, ...point);
  expect(end, `${point.join(' ')}: ${said}`).toBe('SIGKILL');
}

/** metrics.jsonl without what a clock measured. */
const figures = async (directory: string): Promise<unknown[]> =>
  (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => ({ ...JSON.parse(line), tokens_per_second: 0 }));

async function expectEqualRuns(a: string, b: string, files: readonly string[]): Promise<void> {
  for (const name of [
    ...files,
    'README.md',
    'trainer_state.json',
    'checkpoint-12/optimizer.safetensors',
    'checkpoint-12/trainer_state.json',
  ])
    expect((await readFile(join(b, name))).equals(await readFile(join(a, name))), name).toBe(true);
  expect(await figures(b)).toEqual(await figures(a));
  const listing = async (d: string): Promise<string[]> =>
    (await readdir(d, { recursive: true })).filter(n => !n.includes('tfevents')).sort();
  expect(await listing(b)).toEqual(await listing(a));
}

/** Somewhere in the run, another place each time this file changes hands: the seed is the test's own. */
const random = new RandomStream(20251124, 'kills').reader(0, 0);

describe('a run killed at random points', () => {
  it('through a bottleneck ends in the bits and figures of one that was not', async () => {
    const args = { ...base, method: 'vittle', prior: 'learnable', load_best_model_at_end: true };
    const whole = join(root, 'whole');
    await trainLlava(tuneTrainingSchema.parse({ ...args, output_dir: whole }));
    const killed = join(root, 'killed');
    await mkdir(killed);
    const points = [
      ['step', String(1 + random.integer(4))],
      ['before', 'rename .*checkpoint-4\\.tmp/bottleneck'],
      ['step', String(6 + random.integer(3))],
      ['before', 'rename .*killed/config\\.json'],
    ];
    for (const point of points) {
      await expectKilled({ ...args, output_dir: killed }, ...point);
    }
    await trainLlava(tuneTrainingSchema.parse({ ...args, output_dir: killed }));
    await expectEqualRuns(whole, killed, ['model.safetensors', 'bottleneck.safetensors', 'config.json', 'training_args.json']);
  });

  it('by LoRA with dropout does so too', async () => {
    const args = {
      ...base,
      method: 'lora',
      lora_r: 4,
      lora_dropout: 0.2,
      mm_projector_lr: 1e-3,
      save_steps: 3,
      validation_file: undefined,
    };
    const whole = join(root, 'lora-whole');
    await trainLlava(tuneTrainingSchema.parse({ ...args, output_dir: whole }));
    const killed = join(root, 'lora-killed');
    for (const step of [1 + random.integer(5), 6 + random.integer(6)])
      await expectKilled({ ...args, output_dir: killed }, 'step', String(step));
    await trainLlava(tuneTrainingSchema.parse({ ...args, output_dir: killed }));
    await expectEqualRuns(whole, killed, ['adapter_model.safetensors', 'adapter_config.json']);
  });
});

describe('a run that is stopped otherwise', () => {
  it('by a full disk keeps the checkpoint before, says so, and goes on from there', async () => {
    const directory = join(root, 'full');
    const args = { ...base, max_steps: 8, validation_file: undefined, output_dir: directory };
    const { end, said } = await start(args, 'full', 'open .*checkpoint-8\\.tmp/optimizer');
    expect(end).toBe(3);
    expect(said).toMatch(/^Cannot write .*: the disk is full; free some space/);
    expect((await readdir(directory)).filter(name => name.includes('checkpoint'))).toEqual(['checkpoint-4']);
    const straight = join(root, 'not-full');
    await trainLlava(tuneTrainingSchema.parse({ ...args, output_dir: straight }));
    expect(await trainLlava(tuneTrainingSchema.parse(args))).toMatchObject({ step: 8, finished: true });
    const weights = (d: string) => readFile(join(d, 'model.safetensors'));
    expect((await weights(directory)).equals(await weights(straight))).toBe(true);
  });

  it('by the signal writes a checkpoint; other arguments then are refused by name', async () => {
    const args = tuneTrainingSchema.parse({ ...base, output_dir: join(root, 'interrupted'), method: 'vittle' });
    const controller = new AbortController();
    const first = await trainLlava(args, { signal: controller.signal, onProgress: step => step === 2 && controller.abort() });
    expect(first).toMatchObject({ step: 2, finished: false });
    for (const [json, message] of [
      [{ method: 'full' }, 'checkpoint-2 was trained with other arguments: method (was "vittle", now "full"); choose another output_dir'],
      [{ bottleneck_layer: [1] }, 'bottleneck_layer (was [], now [1])'],
      [{ model_max_length: 40, prior: 'learnable' }, 'prior (was "fixed", now "learnable")'],
    ] as const)
      await expect(trainLlava({ ...args, ...json } as typeof args)).rejects.toThrow(message);
  });
});
