/** @file The hash of a whole checkpoint, for provenance. */
import { PromiseCache } from '../system/promise-cache.ts';
import { createSha256, hex } from '../system/sha256.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { TensorEntry } from './safetensors.ts';

/** Bytes read at a time. */
const PIECE = 8 << 20;

const hashes = new PromiseCache<string>();

/** Changes whenever one of the files is replaced or written to; undefined where the place cannot tell. */
async function fingerprint({ source, names, entries, stored }: Checkpoint): Promise<string | undefined> {
  const { fingerprint: of } = source;
  if (!of) return undefined;
  // A model's entries may go by other names in memory, which are hashed too.
  return JSON.stringify([await Promise.all(names.map(name => of.call(source, name))), [...(stored ?? entries).keys()].sort()]);
}

async function hashEntries({ source }: Checkpoint, entries: readonly TensorEntry[]): Promise<string> {
  const hash = source.createHash?.() ?? createSha256();
  for (const entry of entries) {
    const { name, stored, shape, length } = entry;
    hash.update(`${JSON.stringify([name, stored, shape])}\n`);
    for (let at = 0; at < length; at += PIECE) hash.update(await entry.read(at, Math.min(PIECE, length - at)));
  }
  return hex(hash.digest());
}

/**
 * SHA-256 of what a checkpoint holds, hexadecimal: for each tensor, sorted by name (UTF-16 order), the JSON line `[name, type, shape]` and
 * its bytes. Sharding, order in the file and metadata do not matter. Remembered in memory as long as no file changes.
 * @throws NarrowsError when a file cannot be read.
 */
export async function checkpointHash(checkpoint: Checkpoint): Promise<string> {
  const compute = (): Promise<string> =>
    hashEntries(
      checkpoint,
      [...(checkpoint.stored ?? checkpoint.entries).values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  const key = await fingerprint(checkpoint);
  if (key === undefined) return compute();
  return hashes.get(key, compute);
}
