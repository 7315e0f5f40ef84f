/**
 * @file Maps that another tool made, judged like any method's: a directory with one file per method, `NAME.safetensors` or `NAME.json`, that
 * holds a map per pair by the pair's id (as `results.json` and the data file name it, with or without `/image` or `/text`).
 */
import { z } from 'zod';
import { defineMethod } from '../attribution/define-method.ts';
import { eachTower, type MethodRun, type TokenMap, type TowerJob } from '../attribution/method.ts';
import { registerMethod } from '../attribution/registry.ts';
import { openSafetensors, readJson } from '../checkpoints/disk.ts';
import { readFloats } from '../checkpoints/safetensors.ts';
import { mergeWords } from '../inputs/text/words.ts';
import { readdir, readFile } from '../node/disk.ts';
import { createHash } from '../node/hash.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';

/** A map as a file holds it. */
interface StoredMap {
  readonly shape: readonly number[];
  readonly values: () => Promise<Float32Array>;
}

/**
 * Registers a method of the family `external` for each file of a directory. An image's map is [rows, columns] of the patches, or any multiple
 * of it (pixels of the model's view, averaged per patch); a caption's is one value per word.
 * @throws NarrowsError for a directory without such files, a file of another form, or a name that a method has already
 */
export async function loadMaps(directory: string): Promise<void> {
  const names = await readdir(directory).catch(error => {
    throw readError(directory, error);
  });
  const files = names.filter(name => /\.(safetensors|json)$/.test(name)).sort();
  if (files.length === 0)
    throw new NarrowsError(`${directory} holds no maps; give one NAME.safetensors or NAME.json per method.`, { kind: 'usage' });
  for (const file of files) {
    const path = join(directory, file);
    const maps = file.endsWith('.json') ? await jsonMaps(path) : await tensorMaps(path);
    const version = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    registerMethod(
      defineMethod({
        name: file.replace(/\.\w+$/, ''),
        family: 'external',
        cost: 'not known',
        paper: file,
        signed: true,
        fixed: true,
        version,
        schema: z.strictObject({}),
        explain: run => eachTower(run, job => Promise.all(run.encoded.pairs.map((_, p) => mapOf(run, job, p, maps, path)))),
      }),
    );
  }
}

async function tensorMaps(path: string): Promise<Map<string, StoredMap>> {
  const { tensors } = await openSafetensors(path);
  return new Map([...tensors].map(([name, entry]) => [name, { shape: entry.shape, values: () => readFloats(entry) }]));
}

const number = z.number();
const jsonFile = z.record(z.string(), z.union([z.array(number), z.array(z.array(number))]));

async function jsonMaps(path: string): Promise<Map<string, StoredMap>> {
  const parsed = jsonFile.safeParse(await readJson(path));
  if (!parsed.success)
    throw new NarrowsError(`${path} must be an object of maps by pair id, each a list of numbers (words) or of rows of numbers (patches).`);
  return new Map(
    Object.entries(parsed.data).map(([id, rows]) => {
      const nested = rows.every(row => Array.isArray(row)) && rows.length > 0;
      const width = nested ? (rows[0] as number[]).length : 0;
      if (nested && rows.some(row => (row as number[]).length !== width))
        throw new NarrowsError(`${path}: the rows of the map "${id}" have different lengths.`);
      const values = Float32Array.from(rows.flat());
      return [id, { shape: nested ? [rows.length, width] : [values.length], values: async () => values }];
    }),
  );
}

async function mapOf(run: MethodRun, job: TowerJob, p: number, maps: ReadonlyMap<string, StoredMap>, path: string): Promise<TokenMap> {
  const { id, text } = run.encoded.pairs[p];
  if (id === undefined) throw new NarrowsError(`${path} can only be read for pairs that have an id; set \`id\` of the pair.`);
  const stored = maps.get(id) ?? maps.get(id.replace(/\/(image|text)(?=\/|$)/, ''));
  if (!stored) throw new NarrowsError(`${path} holds no map for the pair "${id}".`);
  const { shape } = stored;
  const values = await stored.values();
  const refuse = (wanted: string): never => {
    throw new NarrowsError(`${path}: the map for "${id}" is [${shape.join(', ')}]; it must be ${wanted}.`);
  };
  const bad = values.findIndex(v => !Number.isFinite(v));
  if (bad >= 0) throw new NarrowsError(`${path}: the map for "${id}" holds ${values[bad]} at position ${bad}; maps must be finite.`);
  const tokens = new Float32Array(job.tokens);
  if (job.modality === 'image') {
    const [rows, columns] = job.grid!;
    if (shape.length !== 2 || shape[0] % rows !== 0 || shape[1] % columns !== 0)
      refuse(`[${rows}, ${columns}] (the patches) or a multiple of it`);
    const patches = perPatch(values, shape, [rows, columns]);
    for (const [i, token] of job.players[p].entries()) tokens[token] = patches[i];
    return { tokens };
  }
  const words = mergeWords(text, run.encoded.text.batch.rows[p].tokens, new Float32Array(run.encoded.text.batch.rows[p].tokens.length));
  if (shape.length !== 1 || shape[0] !== words.length) refuse(`[${words.length}] (${words.map(w => w.text).join(' ')})`);
  // A word's value is the sum over its tokens.
  for (const [i, word] of words.entries()) tokens[word.tokens[0]] = values[i];
  return { tokens };
}

/** Means over the blocks of a map that is a multiple of the grid. */
function perPatch(values: Float32Array, [height, width]: readonly number[], [rows, columns]: readonly [number, number]): Float32Array {
  const [h, w] = [height / rows, width / columns];
  const out = new Float32Array(rows * columns);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) out[Math.floor(y / h) * columns + Math.floor(x / w)] += values[y * width + x] / (h * w);
  return out;
}
