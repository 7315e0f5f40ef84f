/** @file The pairs of a ROAR+ run: scenes drawn from a seed, and for each method the same scenes without what its map holds highest. */

import type { AttributeRun, Attributor } from '../../attribution/attributor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { stat } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { sharp } from '../../node/sharp.ts';
import { caption } from '../../scenes/captions.ts';
import { drawScene } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../tensor/random.ts';
import { corruptCaption, corruptImage } from './corrupt.ts';
import type { FilePair } from './retrieval.ts';

/** What a folder is made of. */
export interface FolderOptions {
  readonly world: SceneWorld;
  readonly seed: number;
  readonly split: 'train' | 'validation';
  readonly samples: number;
  readonly percentile: number;
  readonly modality: 'image' | 'text';
}

/** Pairs that go through a method together: places of the plan, so that values do not depend on where a run stopped. */
export const TOGETHER = 16;

/** A pair in a folder: the picture's path relative to it, its size in bytes, the caption. */
export interface WrittenPair {
  readonly image: string;
  readonly bytes: number;
  readonly caption: string;
}

/** Scene i of a split, with two to four objects, and its caption. */
export function scenePair({ world, seed, split }: FolderOptions, i: number): { image: RgbImage; text: string } {
  const scene = drawScene(world, { minObjects: 2, maxObjects: 4 }, new RandomStream(seed, `roar.${split}`).reader(0, i));
  return { image: scene.image, text: caption(scene, new RandomStream(seed, `roar.${split}.captions`).reader(0, i)) };
}

const png = ({ width, height, data }: RgbImage): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();

/**
 * Writes the pairs of a split from `from` on (at most `TOGETHER`) for a method or, without one, as they were drawn.
 * @throws NarrowsError where the method fails or a file cannot be written, the signal's reason when aborted
 */
export async function writePairs(
  directory: string,
  options: FolderOptions,
  from: number,
  method: Attributor | undefined,
  run: Pick<AttributeRun, 'signal' | 'onWarning'>,
): Promise<WrittenPair[]> {
  const pairs = Array.from({ length: Math.min(TOGETHER, options.samples - from) }, (_, i) => scenePair(options, from + i));
  const maps = await method?.attributeAll(pairs, { ...run, modality: options.modality, seed: options.seed });
  const written: WrittenPair[] = [];
  for (const [i, pair] of pairs.entries()) {
    run.signal?.throwIfAborted();
    const { image, text } = maps?.[i] ?? {};
    const key = from + i;
    const shown = image ? corruptImage(pair.image, image, options.percentile, key) : pair.image;
    const said = text ? corruptCaption(pair.text, text.words, options.percentile, key) : pair.text;
    const path = `${options.split}/${String(key).padStart(6, '0')}.png`;
    const bytes = await png(shown);
    await writeFileAtomic(join(directory, path), bytes);
    written.push({ image: path, bytes: bytes.length, caption: said });
  }
  return written;
}

/** Whether the pictures of pairs are there with the sizes that they had. */
export async function picturesAreThere(directory: string, pairs: readonly WrittenPair[]): Promise<boolean> {
  const sizes = pairs.map(({ image }) =>
    stat(join(directory, image)).then(
      ({ size }) => size,
      () => -1,
    ),
  );
  return (await Promise.all(sizes)).every((size, i) => size === pairs[i].bytes);
}

/** The pairs as retrieval takes them. */
export const filePairs = (directory: string, pairs: readonly WrittenPair[]): FilePair[] =>
  pairs.map(({ image, caption: said }) => ({ image: join(directory, image), text: said }));
