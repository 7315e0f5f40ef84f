/** @file Two processes of one thread against one process of two, in training and over pairs, and how fast two processes add up gradients. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { rankArguments, run as runCommand, withoutMpi } from '../../src/node/mpi/testing/mpirun.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { inRepository } from '../models.ts';
import { interleave } from '../rounds.ts';
import { type Context, type Suite, type SuiteResult, skipped } from '../suite.ts';

const CHILD = inRepository('bench', 'suites', 'distributed-child.ts');
const MAIN = inRepository('src', 'cli', 'main.ts');
const PAIRS = 12;
/** Bytes of the all-reduce. */
const BYTES = 20e6;

/** Runs a script as so many ranks, one as a plain process. @throws Error with what it said */
async function start(ranks: number, script: string, args: readonly string[]): Promise<void> {
  const words = rankArguments(ranks, script, args);
  const ended = ranks > 1 ? await runCommand('mpirun', words) : await runCommand(process.execPath, ['--import', 'tsx', script, ...args]);
  if (ended.code !== 0) throw new Error(ended.stderr);
}

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** The loss of the last steps of a run. */
async function lossOf(directory: string): Promise<number> {
  const lines = (await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const loss = lines.flatMap(line => (JSON.parse(line) as { loss?: number }).loss ?? []).at(-1);
  if (loss === undefined) throw new Error(`${directory} holds no loss.`);
  return loss;
}

async function writePairs(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const rows: string[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const background = { r: (20 * i) % 256, g: 90, b: 200 - 10 * i };
    const dot = await sharp({ create: { width: 40, height: 40, channels: 3, background: { r: 250, g: 240, b: 20 } } })
      .png()
      .toBuffer();
    await sharp({ create: { width: 96, height: 96, channels: 3, background } })
      .composite([{ input: dot, left: 4 * i, top: 20 }])
      .png()
      .toFile(join(directory, `${i}.png`));
    rows.push(JSON.stringify({ image: `${i}.png`, caption: i % 2 ? 'a dog' : 'a red apple' }));
  }
  const path = join(directory, 'pairs.jsonl');
  await writeFile(path, `${rows.join('\n')}\n`);
  return path;
}

async function run(context: Context): Promise<SuiteResult> {
  if (withoutMpi) return skipped(withoutMpi);
  const scratch = await context.scratch();
  const list = await writePairs(join(scratch, 'pairs'));
  let calls = 0;
  const results = new Map<string, string | number>();
  const same = (what: string, result: string | number): void => {
    const before = results.get(what) ?? result;
    const alike = typeof result === 'number' ? Math.abs(result / Number(before) - 1) < 1e-3 : result === before;
    if (!alike) throw new Error(`Two processes end elsewhere than one (${what}: ${before}, ${result}): compare no times.`);
    results.set(what, before);
  };
  const child = async (ranks: number, mode: string, threads: number): Promise<number> => {
    const out = join(scratch, `${calls++}.json`);
    const directory = join(scratch, 'run');
    await start(ranks, CHILD, [mode, out, directory, String(threads)]);
    // A time says nothing where the work was not the same; engines of one and of two threads round in another way.
    if (mode !== 'all-reduce') same(mode, await lossOf(directory));
    return (JSON.parse(await readFile(out, 'utf8')) as { seconds: number }).seconds;
  };
  /** Seconds from the opening of the store, before workers start, to its last line. */
  const pairs = async (ranks: number, workers: number): Promise<number> => {
    const output = join(scratch, `audit-${calls++}`);
    const args = ['attribute', '--pairs', list, '--output', output, '--formats', 'json', '--workers', String(workers)];
    const cells = join(output, 'cells.jsonl');
    let opened = 0;
    const timer = setInterval(() => {
      if (opened === 0 && existsSync(cells)) opened = Date.now();
    }, 5);
    await start(ranks, MAIN, args).finally(() => clearInterval(timer));
    same('table of pairs', await hashOf(join(output, 'summary.csv')));
    return ((await stat(cells)).mtimeMs - opened) / 1000;
  };
  const settings = { ...context, slowRounds: 0 };
  const training = await interleave(
    [
      { name: 'two', warm: false, run: () => child(2, 'train', 1) },
      { name: 'one process × two threads', warm: false, run: () => child(1, 'train', 2) },
    ],
    settings,
  );
  const together = await interleave(
    [
      { name: 'two', warm: false, run: () => child(2, 'together', 1) },
      { name: 'one process × two threads', warm: false, run: () => child(1, 'together', 2) },
    ],
    settings,
  );
  const auditing = await interleave(
    [
      { name: 'two', warm: false, run: () => pairs(2, 1) },
      { name: 'one process × two workers', warm: false, run: () => pairs(1, 2) },
    ],
    settings,
  );
  const sums = await interleave([{ name: 'two', warm: false, run: () => child(2, 'all-reduce', 1) }], settings);
  const { two: trained, ...oneTraining } = training;
  const { two: shared, ...oneShared } = together;
  const { two: audited, ...onePairs } = auditing;
  return {
    rows: [
      {
        name: 'update of a small CLIP, two processes × one thread',
        unit: 's',
        values: trained,
        rivals: oneTraining,
        aims: [{ rival: 'one process × two threads', atLeast: 0.9 }],
        notes: ['Two micro-batches of 32 scenes of 96 pixels; the default model of narrows train clip; drawing of scenes included.'],
      },
      {
        name: 'the same with one micro-batch of 64, whose rows two processes share',
        unit: 's',
        values: shared,
        rivals: oneShared,
        notes: ['The towers run twice, first for the features that are gathered: by count a third more work.'],
      },
      {
        name: `attribute --pairs, ${PAIRS} pairs, two processes × one worker`,
        unit: 's',
        values: audited,
        rivals: onePairs,
        aims: [{ rival: 'one process × two workers', atLeast: 0.95 }],
        notes: ['From the start of the workers, which open the model, to the last pair.'],
      },
      {
        name: 'all-reduce of 20 MB between two processes',
        unit: 's',
        values: sums.two,
        notes: [`${(BYTES / median(sums.two) / 1e6).toFixed(0)} MB/s of gradients, the additions included.`],
      },
    ],
  };
}

/** See the file's head. */
export const distributed: Suite = {
  name: 'distributed',
  about: 'Two processes of Open MPI with one thread each against one process with two threads: training, pairs; an all-reduce.',
  run,
};
