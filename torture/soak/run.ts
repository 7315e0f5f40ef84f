/** @file `npm run torture -- soak`: thousands of attributions, turns and pairs, and a studio with fifty clients. Nothing may grow. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { httpBackend } from '../../src/studio/http-backend.ts';
import { startOf } from '../../src/testing/compiled.ts';
import { nodeArguments } from '../shared/call.ts';
import { memoryOf } from '../shared/limits.ts';
import type { RunOptions } from '../shared/program.ts';
import { makeWorld, type World } from '../shared/world.ts';
import { type Judged, judgeSamples, type Sample } from './measure.ts';

/** A job, and how many steps it does at full size. */
interface Job {
  readonly full: number;
  run(steps: number, world: World, output: string): Promise<Sample[]>;
}

function handlesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

const HOOK = ['--import', new URL('loop-hook.mjs', import.meta.url).href];

/** Gathers what `loop-hook.mjs` tells of a child. @returns takes the longest work since the last call */
function loopOf(child: ChildProcess): () => Pick<Sample, 'work' | 'collecting'> {
  let most: Pick<Sample, 'work' | 'collecting'> = {};
  child.on('message', ({ work, collecting }: Sample) => {
    if (work !== undefined && work > (most.work ?? 0)) most = { work, collecting };
  });
  return () => {
    const longest = most;
    most = {};
    return longest;
  };
}

/** Samples of a child that tells them itself. */
const inChild =
  (part: string): Job['run'] =>
  (steps, world) =>
    new Promise((resolve, reject) => {
      const samples: Sample[] = [];
      const { execArgv, file } = startOf(fileURLToPath(new URL('child.ts', import.meta.url)));
      const child = fork(file, [part, String(steps), world.root], {
        execArgv: [...HOOK, ...execArgv],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const work = loopOf(child);
      child.on('message', (sample: Sample | { work: number }) => {
        if ('done' in sample) samples.push({ ...sample, ...work() });
      });
      child.on('exit', code => (code === 0 ? resolve(samples) : reject(new Error(`${part} ended with ${code}`))));
    });

/** Looks at a process from outside until it ends. */
function watched(child: ChildProcess, done: () => number): { samples: Sample[]; stop(): void } {
  const samples: Sample[] = [];
  const work = loopOf(child);
  const timer = setInterval(() => {
    const megabytes = memoryOf(child.pid!);
    if (megabytes > 0 && done() > (samples.at(-1)?.done ?? 0))
      samples.push({ done: done(), megabytes, handles: handlesOf(child.pid!), ...work() });
  }, 200);
  return { samples, stop: () => clearInterval(timer) };
}

async function audit(steps: number, world: World, output: string): Promise<Sample[]> {
  const list = world.at('images', 'soak.csv');
  writeFileSync(list, `image,text\n${Array.from({ length: steps }, (_, i) => `${'ab'[i % 2]}.png,a cat and a dog ${i}\n`).join('')}`);
  const out = join(output, 'soak');
  rmSync(out, { recursive: true, force: true });
  const words = [
    'attribute',
    '--pairs',
    list,
    '--output',
    out,
    '--model',
    world.at('clip'),
    '--method',
    'grad-cam',
    '--formats',
    'json',
    // The engine works in a thread: only then is the loop free.
    '--workers',
    '1',
    '--quiet',
  ];
  const child = spawn(process.execPath, [...HOOK, ...nodeArguments(words)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], cwd: output });
  const records = (): number => {
    try {
      return readFileSync(join(out, 'cells.jsonl')).filter(byte => byte === 10).length;
    } catch {
      return 0;
    }
  };
  const { samples, stop } = watched(child, records);
  const code = await new Promise(resolve => child.on('exit', resolve));
  stop();
  rmSync(out, { recursive: true, force: true });
  if (code !== 0) throw new Error(`the audit ended with ${code}`);
  return samples;
}

/** Clients that look and ask at once. */
const CLIENTS = 50;

async function studio(seconds: number, world: World): Promise<Sample[]> {
  const words = ['studio', '--no-open', '--json', '--model', world.at('clip'), '--quiet'];
  const child = spawn(process.execPath, [...HOOK, ...nodeArguments(words)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const line = await new Promise<string>(resolve => createInterface({ input: child.stdout! }).once('line', resolve));
  const { origin, token } = JSON.parse(line) as { origin: string; token: string };
  const client = httpBackend({ origin, token });
  const picture = (await client.addPicture(new Blob([readFileSync(world.at('disc.png'))]), 'disc.png')).id;
  for await (const _ of client.open({ reference: world.at('clip') }));
  const model = (await client.models()).find(({ open }) => open)!.id;
  let answers = 0;
  const until = Date.now() + 1000 * seconds;
  const { samples, stop } = watched(child, () => answers);
  const visitor = async (number: number): Promise<void> => {
    for (let turn = number; Date.now() < until; turn++) {
      if (turn % 10 === 0) {
        const asked = client.attribute({ model, picture, text: 'a cat', methods: [{ name: 'grad-cam', options: {} }], seed: turn });
        for await (const _ of asked);
      } else if (turn % 2) await client.models();
      else await (await client.pictureFile(picture)).arrayBuffer();
      answers++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) => visitor(i)));
  stop();
  child.kill('SIGINT');
  await new Promise(resolve => child.on('exit', resolve));
  return samples;
}

/** All jobs. The studio's steps are seconds. */
export const JOBS: Readonly<Record<string, Job>> = {
  attributions: { full: 10_000, run: inChild('attributions') },
  chat: { full: 1000, run: inChild('chat') },
  'audit of pairs': { full: 5000, run: audit },
  studio: { full: 600, run: studio },
};

/** A job's figures. */
export interface SoakEntry {
  readonly job: string;
  readonly judged: Judged;
}

/** Runs the jobs, each at `cases` thousandths of its full size. */
export async function soak({ cases, until, output, only, say }: RunOptions): Promise<readonly SoakEntry[]> {
  const world = await makeWorld(join(output, 'world'));
  const entries: SoakEntry[] = [];
  for (const [job, { full, run }] of Object.entries(JOBS)) {
    if (only && !job.includes(only)) continue;
    if (Date.now() >= until) {
      say(`${job}: no time left`);
      continue;
    }
    const samples = await run(Math.max(20, Math.round((full * cases) / 1000)), world, output);
    const entry = { job, judged: judgeSamples(samples) };
    entries.push(entry);
    for (const finding of entry.judged.findings) say(`${job}: ${finding}`);
  }
  return entries;
}

/** Figures by job. */
export function soakFigures(entries: readonly SoakEntry[]): string {
  const rows = entries.map(({ job, judged }) => {
    const { steps, early, late, growth, handles, work } = judged;
    const blocked = work ? `${work[0].toFixed(0)} / ${work[1].toFixed(0)}` : '–';
    return `| ${job} | ${steps} | ${early.toFixed(0)} | ${late.toFixed(0)} | ${(100 * growth).toFixed(1)} % | ${handles.join(' → ')} | ${blocked} |`;
  });
  return [
    '| job | steps | MB early | MB late | growth | handles | longest work between two turns, median / all (ms) |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
