/** @file Hashes of files and of whole checkpoints, for provenance. */

import { createReadStream, stat } from '../node/disk.ts';
import { createHash } from '../node/hash.ts';
import { PromiseCache } from '../system/promise-cache.ts';
import { readError } from '../system/read-error.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { TensorEntry } from './safetensors.ts';

/** SHA-256 of a file's bytes, hexadecimal, read in pieces. @throws NarrowsError when it cannot be read. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await addRange(hash, path);
  return hash.digest('hex');
}

async function addRange(hash: ReturnType<typeof createHash>, path: string, range: { start?: number; end?: number } = {}): Promise<void> {
  try {
    for await (const piece of createReadStream(path, { ...range, highWaterMark: 1 << 20 })) hash.update(piece);
  } catch (error) {
    throw readError(path, error);
  }
}

const hashes = new PromiseCache<string>();

/** Changes whenever one of the files is replaced or written to. */
async function fingerprint(checkpoint: Checkpoint): Promise<string> {
  const parts = checkpoint.files.map(async file => {
    try {
      const { mtimeNs, size, ino } = await stat(file, { bigint: true });
      return `${file}\0${mtimeNs}\0${size}\0${ino}`;
    } catch (error) {
      throw readError(file, error);
    }
  });
  return (await Promise.all(parts)).join('\n');
}

async function hashEntries(entries: readonly TensorEntry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, stored, shape, file, offset, length } of entries) {
    hash.update(`${JSON.stringify([name, stored, shape])}\n`);
    if (length > 0) await addRange(hash, file, { start: offset, end: offset + length - 1 });
  }
  return hash.digest('hex');
}

/**
 * SHA-256 of what a checkpoint holds, hexadecimal: for each tensor, sorted by name (UTF-16 order), the JSON line `[name, type, shape]` and
 * its bytes. Sharding, order in the file and metadata do not matter. Remembered in memory as long as no file changes.
 * @throws NarrowsError when a file cannot be read.
 */
export async function checkpointHash(checkpoint: Checkpoint): Promise<string> {
  return hashes.get(await fingerprint(checkpoint), () =>
    hashEntries([...checkpoint.entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))),
  );
}
