/** @file The models that the suites run on: made when first needed, kept in out/bench. */
import { execFile } from 'node:child_process';
import { access, copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { bundledDirectory, DEFAULT_MODEL } from '../src/models/bundled.ts';
import { clipTrainingSchema } from '../src/tuning/clip/arguments.ts';
import { freshConfig, WORD_KEYS } from '../src/tuning/clip/config.ts';
import { peerPython } from './peer.ts';
import { B32, writeRandomClip } from './random-clip.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether a path can be reached. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Path inside the repository. */
export const inRepository = (...parts: string[]): string => join(root, ...parts);

/** ViT-B/32's shape with random weights, 605 MB. @param given `--model` */
export async function findB32(given: string | undefined, status: (message: string) => void): Promise<string> {
  if (given) return given;
  const directory = inRepository('out', 'bench', 'b32');
  if (await exists(join(directory, 'config.json'))) return directory;
  const python = peerPython();
  status(`Making ${directory} (605 MB of random weights, ${python ? 'by make_b32.py' : 'by our own writer'})`);
  if (!python) await writeRandomClip(directory, B32);
  else {
    const part = `${directory}.part`;
    await rm(part, { recursive: true, force: true });
    await promisify(execFile)(python, [inRepository('bench', 'peers', 'make_b32.py'), part]);
    await rm(directory, { recursive: true, force: true });
    await rename(part, directory);
  }
  return directory;
}

/** The same weights (hard link, else a copy) in `to`, with CLIP's tokenizer. */
export async function addTokenizer(from: string, to: string): Promise<string> {
  await mkdir(to, { recursive: true });
  const weights = 'model.safetensors';
  await link(join(from, weights), join(to, weights)).catch(() => copyFile(join(from, weights), join(to, weights)));
  for (const file of ['config.json', 'preprocessor_config.json']) await copyFile(join(from, file), join(to, file));
  const testdata = inRepository('src', 'inputs', 'text', 'testdata');
  for (const file of ['tokenizer_config.json', 'special_tokens_map.json']) await copyFile(join(testdata, file), join(to, file));
  await writeFile(join(to, 'tokenizer.json'), gunzipSync(await readFile(join(testdata, 'clip-tokenizer.json.gz'))));
  return to;
}

/** The shipped model; where it is not there yet, random weights of the shape that examples/train-clip.json trains. */
export async function smallClip(scratch: string): Promise<{ directory: string; shipped: boolean }> {
  const shipped = join(bundledDirectory(), DEFAULT_MODEL);
  if (await exists(join(shipped, 'config.json'))) return { directory: shipped, shipped: true };
  const recipe = JSON.parse(await readFile(inRepository('examples', 'train-clip.json'), 'utf8')) as object;
  const args = clipTrainingSchema.parse({ ...recipe, output_dir: scratch });
  const directory = join(scratch, 'small-clip');
  await writeRandomClip(directory, freshConfig(args, WORD_KEYS));
  return { directory, shipped: false };
}
