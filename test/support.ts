/** @file Runs the real command line, and makes what it needs: a tiny model, pictures, scratch directories. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import sharp from 'sharp';
import { onTestFailed } from 'vitest';
import { saveCheckpoint } from '../src/checkpoints/save.ts';
import { wantedTensors } from '../src/models/clip/files.ts';
import { sceneTokenizerJson } from '../src/scenes/vocabulary.ts';
import { floats, type Tensor } from '../src/tensor/tensor.ts';
import { started } from '../src/testing/compiled.ts';
import { clipTrainingSchema } from '../src/tuning/clip/arguments.ts';
import { freshConfig, freshPreprocessor, WORD_KEYS } from '../src/tuning/clip/config.ts';
import { initialiseCLIP } from '../src/tuning/clip/initialise.ts';

const root = new URL('..', import.meta.url);
const main = new URL('src/cli/main.ts', root).pathname;

/** The repository's directory. */
export const repository: string = root.pathname;

/** A call that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a call is made. */
export interface CallOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends SIGINT as soon as stderr or stdout holds this text, or the function says so. */
  readonly interruptWhen?: string | (() => boolean);
}

/** The program and the arguments of `narrows ...args`, for tests that start it themselves. */
export const command = (args: readonly string[]): { file: string; args: string[] } => ({
  file: process.execPath,
  args: [...started(main), ...args],
});

/** Where the test fails: what a call said, which a comparison of its code leaves out. Hooks have no test that could. */
function tellIfFailed(args: readonly string[], ended: Ended): void {
  const words = `\n\nnarrows ${args.join(' ')}: exit code ${ended.code}\n${ended.stderr.slice(-4000)}`;
  try {
    onTestFailed(({ task }) => {
      for (const error of task.result?.errors ?? []) error.message += words;
    });
  } catch {
    if (ended.code !== 0) process.stderr.write(words);
  }
}

/** Runs `narrows ...args`. No colours, no network, a cache of its own. */
export function narrows(args: readonly string[], { cwd, env = {}, interruptWhen }: CallOptions): Promise<Ended> {
  const { FORCE_COLOR: _, NARROWS_DEBUG: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [...started(main), ...args], {
    cwd,
    env: { ...inherited, NO_COLOR: '1', HF_HUB_OFFLINE: '1', HF_HOME: join(cwd, '.hf'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let sent = false;
  const look = (): void => {
    if (sent || interruptWhen === undefined) return;
    if (typeof interruptWhen === 'string' ? !(stderr + stdout).includes(interruptWhen) : !interruptWhen()) return;
    sent = true;
    child.kill('SIGINT');
  };
  const timer = typeof interruptWhen === 'function' ? setInterval(look, 20) : undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      clearInterval(timer);
      const ended = { code, stdout, stderr };
      tellIfFailed(args, ended);
      resolve(ended);
    });
  });
}

/** Runs jobs three at a time; the promises come in the order of the jobs. */
export function pooled<T>(jobs: readonly (() => Promise<T>)[], width = 3): Promise<T>[] {
  const lanes: Promise<unknown>[] = Array.from({ length: width }, () => Promise.resolve());
  return jobs.map((job, i) => {
    const result = lanes[i % width].then(job);
    lanes[i % width] = result.catch(() => {});
    return result;
  });
}

/** A new directory under the system's temporary one. */
export const scratch = (): string => mkdtempSync(join(tmpdir(), 'narrows-test-'));

/** All files below a directory, sorted, as relative paths. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

const TINY = clipTrainingSchema.parse({
  output_dir: 'x',
  image_size: 96,
  patch_size: 24,
  vision_hidden_size: 32,
  vision_num_hidden_layers: 3,
  text_hidden_size: 32,
  text_num_hidden_layers: 3,
  projection_dim: 32,
  head_dim: 16,
});

/** Tensors of a random CLIP with the scenes' vocabulary: 96 pixels, patches of 24, three blocks of width 32 in both towers. */
export function tinyTensors(): Map<string, Tensor> {
  const config = freshConfig(TINY, WORD_KEYS);
  return new Map(initialiseCLIP(config, wantedTensors(config) as never, 1).map(p => [p.name, floats(p.shape, p.data)]));
}

/** Writes that model. @param change what shall be wrong with it */
export async function writeTinyModel(directory: string, change: (tensors: Map<string, Tensor>) => void = () => {}): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const tensors = tinyTensors();
  change(tensors);
  const config = freshConfig(TINY, WORD_KEYS);
  await saveCheckpoint(directory, tensors, { config });
  for (const [name, content] of Object.entries(sceneTokenizerJson(24))) await writeFile(join(directory, name), JSON.stringify(content));
  await writeFile(join(directory, 'preprocessor_config.json'), JSON.stringify(freshPreprocessor(96)));
  return directory;
}

/** A picture with a bright disc on a gradient, in the format that the extension names. */
export async function writePicture(path: string, width = 96, height = 96, shift = 0): Promise<string> {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = (x - width / 2 - shift) ** 2 + (y - height / 2) ** 2 < (Math.min(width, height) / 4) ** 2;
      data.set(inside ? [250, 200, 20] : [(x * 255) / width, 60, (y * 255) / height], (y * width + x) * 3);
    }
  }
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
  return path;
}
