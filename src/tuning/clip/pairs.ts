/** @file Image–caption pairs to train on: those of a list whose pictures are there. */
import { sha256File } from '../../checkpoints/disk.ts';
import { readPairs } from '../../inputs/pairs/read-pairs.ts';
import { pictureFile } from '../../inputs/tables/picture-reference.ts';
import { stat } from '../../node/disk.ts';
import { resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';

/** One pair. */
export interface Pair {
  /** Absolute path. */
  readonly image: string;
  readonly text: string;
  /** Where it stands, e.g. `pairs.jsonl, line 3`. */
  readonly place: string;
}

/** A file's pairs. */
export interface PairFile {
  readonly pairs: readonly Pair[];
  /** SHA-256 of the file. */
  readonly hash: string;
}

async function checkImage({ image, place }: Pair): Promise<void> {
  const found = await stat(pictureFile(image)).catch(() => undefined);
  if (!found?.isFile()) throw new NarrowsError(`${place}: the image ${image} does not exist; paths are relative to the list.`);
}

/**
 * Reads pairs (see `readPairs` of inputs/pairs), paths relative to the file. All images must exist; they are not opened.
 * @param ignore called with each bad row, which is left out; without it the first one is an error
 * @throws NarrowsError naming file and line
 */
export async function readTrainingPairs(
  path: string,
  ignore?: (message: string) => void,
  onWarning?: (message: string) => void,
): Promise<PairFile> {
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!ignore || !(error instanceof NarrowsError)) throw error;
      ignore(error.message);
    }
  };
  const read: Pair[] = [];
  const listed = await readPairs(path, { ignore, onWarning, findings: true });
  if (listed.some(pair => pair.findings))
    onWarning?.(`${path} has no column of captions, so the findings of a picture, with commas between them, are its caption.`);
  for (const { path: image, text, where: place, findings } of listed)
    await attempt(() => {
      if (findings?.length === 0) throw new NarrowsError(`${place} has no findings, which are the captions here.`);
      if (text.trim() === '') throw new NarrowsError(`${place} has no caption: it must be a text that is not empty.`);
      read.push({ image: resolve(image), text, place });
    });
  const pairs: Pair[] = [];
  const CHUNK = 64;
  for (let from = 0; from < read.length; from += CHUNK) {
    const chunk = read.slice(from, from + CHUNK);
    const checks = await Promise.allSettled(chunk.map(checkImage));
    for (const [i, check] of checks.entries())
      await attempt(() => {
        if (check.status === 'rejected') throw check.reason;
        pairs.push(chunk[i]);
      });
  }
  if (pairs.length === 0) throw new NarrowsError(`${path} holds no pairs that can be used.`);
  return { pairs, hash: await sha256File(path) };
}
