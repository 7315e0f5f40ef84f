/** Runs are killed with SIGKILL, in a process of their own, and must end in the same bits. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { silent } from '../../system/log.ts';
import { started } from '../../testing/compiled.ts';
import { EVALUATION_FILE } from '../evaluation.ts';
import { clipTrainingSchema } from './arguments.ts';
import { TINY } from './testdata/tiny.ts';
import { trainClip } from './train.ts';

let root: string;
/** A run that nothing stopped. */
let whole: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-resume-'));
  whole = join(root, 'whole');
  await trainClip(clipTrainingSchema.parse({ ...TINY, output_dir: whole }));
});
afterAll(() => rm(root, { recursive: true }));

const RUNNER = fileURLToPath(new URL('testdata/train-and-crash.ts', import.meta.url));

/** Runs in a child; the signal that ended it, or undefined. */
async function start(directory: string, args: object, ...point: string[]): Promise<string | undefined> {
  await mkdir(directory, { recursive: true });
  const file = join(root, 'args.json');
  await writeFile(file, JSON.stringify({ ...TINY, ...args, output_dir: directory }));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...started(RUNNER), file, ...point], (error, _, stderr) => {
      if (error && !error.signal) reject(new Error(stderr));
      else resolve(error?.signal ?? undefined);
    });
  });
}

/** Every checkpoint that bears its name is whole. */
async function expectWholeCheckpoints(directory: string): Promise<void> {
  for (const name of (await readdir(directory)).filter(n => n.startsWith('checkpoint-'))) {
    for (const file of ['model', 'optimizer']) await openSafetensors(join(directory, name, `${file}.safetensors`));
    expect(JSON.parse(await readFile(join(directory, name, 'trainer_state.json'), 'utf8')).global_step).toBe(Number(name.slice(11)));
  }
}

const RESULTS = [
  'model.safetensors',
  'checkpoint-12/optimizer.safetensors',
  'checkpoint-12/trainer_state.json',
  'metrics.jsonl',
  'README.md',
];

async function expectEqualRuns(a: string, b: string): Promise<void> {
  for (const name of RESULTS) expect((await readFile(join(b, name))).equals(await readFile(join(a, name))), name).toBe(true);
  const listing = async (d: string): Promise<string[]> =>
    (await readdir(d, { recursive: true })).filter(n => !n.includes('tfevents')).sort();
  expect(await listing(b)).toEqual(await listing(a));
}

describe('a run killed again and again', () => {
  it('ends in the bits, figures and files of one that was not', async () => {
    const killed = join(root, 'killed');
    for (const point of [
      ['before', 'rename .*checkpoint-4\\.tmp/optimizer'],
      ['step', '7'],
      ['before', 'rm .*checkpoint-4\\.old'],
      ['before', 'rename .*killed/model\\.safetensors'],
    ]) {
      expect(await start(killed, {}, ...point), point.join(' ')).toBe('SIGKILL');
      await expectWholeCheckpoints(killed);
    }
    expect(await readdir(killed)).toContainEqual(expect.stringMatching(/^model\.safetensors\..*\.tmp$/));
    await trainClip(clipTrainingSchema.parse({ ...TINY, output_dir: killed }));
    await expectEqualRuns(whole, killed);
  });

  it('does so with Muon, whatever step a checkpoint falls on', async () => {
    const args = { optim: 'muon', save_steps: 5, gradient_accumulation_steps: 2 };
    const straight = join(root, 'muon-whole');
    await trainClip(clipTrainingSchema.parse({ ...TINY, ...args, output_dir: straight }));
    const killed = join(root, 'muon-killed');
    expect(await start(killed, args, 'step', '8')).toBe('SIGKILL');
    await trainClip(clipTrainingSchema.parse({ ...TINY, ...args, output_dir: killed }));
    await expectEqualRuns(straight, killed);
  });
});

describe('a run killed inside an evaluation', () => {
  it('keeps the batches that were finished and ends in the same bits and figures', { timeout: 180_000 }, async () => {
    const killed = join(root, 'killed-inside');
    const batches = async (): Promise<string[]> => (await readFile(join(killed, EVALUATION_FILE), 'utf8')).trim().split('\n').slice(1);
    expect(await start(killed, {}, 'lines', '3')).toBe('SIGKILL');
    const before = await batches();
    expect(before).toHaveLength(2);
    // The next run finds the first two batches of step 6 and computes one more before it is killed too.
    expect(await start(killed, {}, 'lines', '1')).toBe('SIGKILL');
    const after = await batches();
    expect(after.slice(0, 2)).toEqual(before);
    expect(after).toHaveLength(3);
    await trainClip(clipTrainingSchema.parse({ ...TINY, output_dir: killed }));
    await expectEqualRuns(whole, killed);
  });
});

describe('a run that is interrupted', () => {
  it('writes a checkpoint, says so, and goes on to the same bits', async () => {
    const directory = join(root, 'interrupted');
    const args = clipTrainingSchema.parse({ ...TINY, output_dir: directory });
    const controller = new AbortController();
    const first = await trainClip(args, {
      signal: controller.signal,
      onProgress(step) {
        if (step === 5) controller.abort();
      },
    });
    expect(first).toMatchObject({ step: 5, finished: false });
    expect(await readdir(directory)).not.toContain('model.safetensors');
    expect(await readdir(directory)).toContain('checkpoint-5');
    const second = await trainClip(args);
    expect(second).toMatchObject({ step: 12, finished: true });
    expect(second.metrics).toHaveProperty('eval_trained_naming');
    await expectEqualRuns(whole, directory);
  });

  it('before its first step leaves nothing that stands in the way', async () => {
    const args = clipTrainingSchema.parse({ ...TINY, output_dir: join(root, 'early') });
    expect(await trainClip(args, { signal: AbortSignal.abort() })).toMatchObject({ step: 0, finished: false });
    expect(await trainClip({ ...args, max_steps: 1 })).toMatchObject({ step: 1, finished: true });
  });

  it('may go on on another device, which is said, and stands in its checkpoints', async () => {
    const args = clipTrainingSchema.parse({
      ...TINY,
      max_steps: 2,
      save_steps: 1,
      lr_scheduler_type: 'constant',
      output_dir: join(root, 'moved'),
    });
    await trainClip(args);
    const warnings: string[] = [];
    const log = { ...silent, warn: (message: string) => warnings.push(message) };
    // What ONNX Runtime computes on is not looked at here, only what the runtime says of itself.
    const on = (device?: string) => ({ log, runtime: { ...nodeRuntime({ threads: 1 }), ...(device ? { device } : {}) } });
    await trainClip({ ...args, max_steps: 3 }, on('webgpu'));
    expect(warnings.splice(0)).toContain(
      'From step 2 on the training runs on the device "webgpu", not on "cpu" as before: it ends in other bits.',
    );
    const state = async (name: string) => JSON.parse(await readFile(join(args.output_dir, name, 'trainer_state.json'), 'utf8'));
    expect([(await state('checkpoint-2')).device, (await state('checkpoint-3')).device]).toEqual([undefined, 'webgpu']);
    await trainClip({ ...args, max_steps: 4 }, on('webgpu'));
    expect(warnings.splice(0).join()).not.toContain('on the device');
    await trainClip({ ...args, max_steps: 5 }, on());
    expect(warnings.join()).toContain('From step 4 on the training runs on the device "cpu", not on "webgpu" as before');
  });

  it('may be made longer, and passes over a broken checkpoint, both with a warning', async () => {
    const args = clipTrainingSchema.parse({ ...TINY, max_steps: 8, lr_scheduler_type: 'constant', output_dir: join(root, 'longer') });
    await trainClip(args);
    await truncate(join(args.output_dir, 'checkpoint-8/model.safetensors'), 1000);
    const warnings: string[] = [];
    const log = { ...silent, warn: (message: string) => warnings.push(message) };
    const { step, finished } = await trainClip({ ...args, max_steps: 12 }, { log });
    expect([step, finished]).toEqual([12, true]);
    expect(warnings).toEqual([
      'From step 8 on the learning rate takes another course: max_steps (was 8, now 12).',
      expect.stringMatching(/checkpoint-8\/model\.safetensors is not what was saved.* Resuming from .*checkpoint-4 instead\.$/),
    ]);
    // With a constant rate, that is the run that had 12 steps from the start.
    const straight = { ...args, max_steps: 12, output_dir: join(root, 'straight') };
    await trainClip(straight);
    const weights = (run: { output_dir: string }) => readFile(join(run.output_dir, 'model.safetensors'));
    expect((await weights(args)).equals(await weights(straight))).toBe(true);
    expect(await readdir(join(args.output_dir, 'tensorboard'))).toHaveLength(2);
  });
});
