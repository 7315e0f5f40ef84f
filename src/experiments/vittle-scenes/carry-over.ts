/** @file Runs of another folder, taken up: an experiment goes on where its runs' checkpoints and its start's folder are gone. */
import { z } from 'zod';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { readdir, readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { createHash } from '../../node/hash.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { LlavaSource } from '../../tuning/llava/source.ts';
import { readOr, toJson } from './laboratory.ts';
import type { ExperimentSettings } from './settings.ts';

/** SHA-256 over all tensors of a start, by their names, as float32: wherever its files lie, and however they are cut. */
async function hashOf({ entries }: LlavaSource): Promise<string> {
  const hash = createHash('sha256');
  for (const name of [...entries.keys()].sort()) {
    const { buffer, byteOffset, byteLength } = await readFloats(entries.get(name)!);
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** Holds the experiment to one start, whatever its folder is called: `start.json` says which. @throws NarrowsError (usage) for another one */
export async function checkStart(output: string, source: LlavaSource): Promise<void> {
  const path = join(output, 'start.json');
  const sha256 = await hashOf(source);
  const before = await readOr(path, z.object({ sha256: z.string() }), 'choose another directory');
  if (before && before.sha256 !== sha256)
    throw new NarrowsError(
      `The runs of ${output} begin from other weights (${before.sha256.slice(0, 12)}…) than ${source.directory} has (${sha256.slice(0, 12)}…); name their start, or choose another directory.`,
      { kind: 'usage' },
    );
  await writeFileAtomic(path, toJson({ sha256 }));
}

/** What tells experiments apart: seeds and conditions may be added, and the start may lie elsewhere (`checkStart` looks at its weights). */
export const sameSettings = (a: object, b: object): boolean => {
  const fixed = (of: object): string => toJson({ ...of, seeds: 0, conditions: undefined, start: undefined });
  return fixed(a) === fixed(b);
};

/**
 * Copies what is finished of another folder of the same experiment: results that are not here yet (of validation too), and what was chosen.
 * @returns how many results were copied
 * @throws NarrowsError (usage) where there is none, or of other settings
 */
export async function carryOver(from: string, output: string, settings: ExperimentSettings): Promise<number> {
  const there = await readOr(join(from, 'settings.json'), z.looseObject({}), 'it cannot be taken up');
  if (!there) throw new NarrowsError(`${from} holds no experiment: it has no settings.json.`, { kind: 'usage' });
  if (!sameSettings(there, settings))
    throw new NarrowsError(
      `${from} holds an experiment of other settings (see its settings.json), whose runs cannot be put beside these.`,
      {
        kind: 'usage',
      },
    );
  const names = async (directory: string): Promise<string[]> =>
    readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw readError(directory, error);
    });
  const copy = async (name: string): Promise<void> => writeFileAtomic(join(output, name), await readFile(join(from, name)));
  let count = 0;
  for (const folder of ['results', 'validation']) {
    const known = new Set(await names(join(output, folder)));
    for (const name of await names(join(from, folder)))
      if (name.endsWith('.json.gz') && !known.has(name)) {
        await copy(`${folder}/${name}`);
        count++;
      }
  }
  const [here, theirs] = [await names(output), await names(from)];
  for (const name of ['chosen.json', 'start.json', 'emid.json']) if (theirs.includes(name) && !here.includes(name)) await copy(name);
  return count;
}
