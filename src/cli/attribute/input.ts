/** @file The image and caption of a call, or the shipped example where neither is given. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pair } from '../../attribution/pair.ts';
import { readJson } from '../../checkpoints/disk.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { readImageFile } from '../../inputs/image/image-file.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Where an image is and what it is paired with. `shown`: the path as a person would type it; none for the shipped example. */
export interface PairSource {
  readonly path: string;
  readonly text: string;
  readonly shown?: string;
}

const example = (name: string): string => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/**
 * Makes sure that image and caption come together; without both, the shipped example.
 * @throws NarrowsError when one of them is missing
 */
export async function choosePair(image: string | undefined, text: string | undefined): Promise<PairSource> {
  if (image !== undefined && text !== undefined) return { path: image, text, shown: image };
  const missing = (what: string): NarrowsError =>
    new NarrowsError(
      `The ${what} is missing: narrows attribute IMAGE "CAPTION", or a question in its place for a model that answers (without both, the shipped example is taken).`,
      {
        kind: 'usage',
      },
    );
  if (image !== undefined) throw missing('caption');
  if (text !== undefined) throw missing('image');
  const { caption } = (await readJson(example('scene.json'))) as { caption?: unknown };
  if (typeof caption !== 'string') throw new NarrowsError(`${example('scene.json')} has no caption; reinstall narrows.`);
  return { path: example('scene.png'), text: caption };
}

/** Decodes and hashes an image. What is to be said of it goes into the result. @throws NarrowsError in one sentence when it cannot be read */
export async function loadPair({ path, text }: Pick<PairSource, 'path' | 'text'>, options: ImageReadOptions = {}): Promise<Pair> {
  const bytes = await readImageFile(path);
  const image = await decodeImage(bytes, { ...options, name: path });
  return { image, text, imageName: basename(path), imageSha256: sha256(bytes) };
}

/** SHA-256 of a picture's file. @throws NarrowsError when it cannot be read, or is a named pipe that would never end */
export const imageHash = async (path: string): Promise<string> => sha256(await readImageFile(path));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
