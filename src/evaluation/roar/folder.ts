/** @file The pairs of a ROAR+ run: scenes drawn from a seed, and for each method the same scenes without what its map holds highest. */

import type { Attributor } from '../../attribution/attributor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { readFile, stat } from '../../node/disk.ts';
import { makeDirectory, writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { Progress, ProgressOptions } from '../../node/progress.ts';
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

/** Who writes a folder: where progress is shown, and what stops it. */
export interface FolderContext {
  readonly signal: AbortSignal;
  progress(options: ProgressOptions): Progress;
}

/** Pairs that go through a method together. */
const TOGETHER = 16;

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
 * Writes a split for a method (or, without one, as it was drawn): images and `SPLIT.jsonl`, which is written last and says that all is there.
 * @returns path of the JSONL file
 */
export async function writeFolder(
  context: FolderContext,
  directory: string,
  options: FolderOptions,
  method: Attributor | undefined,
  name: string,
): Promise<string> {
  const file = join(directory, `${options.split}.jsonl`);
  if (await stat(file).catch(() => undefined)) return file;
  await makeDirectory(join(directory, options.split));
  const lines: string[] = [];
  const bar = context.progress({ label: `${name}: ${options.split} pairs`, total: options.samples, unit: 'pairs' });
  try {
    for (let from = 0; from < options.samples; from += TOGETHER) {
      context.signal.throwIfAborted();
      const pairs = Array.from({ length: Math.min(TOGETHER, options.samples - from) }, (_, i) => scenePair(options, from + i));
      const maps = await method?.attributeAll(pairs, { modality: options.modality, seed: options.seed, signal: context.signal });
      for (const [i, pair] of pairs.entries()) {
        const { image, text } = maps?.[i] ?? {};
        const key = from + i;
        const shown = image ? corruptImage(pair.image, image, options.percentile, key) : pair.image;
        const said = text ? corruptCaption(pair.text, text.words, options.percentile, key) : pair.text;
        const path = `${options.split}/${String(key).padStart(6, '0')}.png`;
        await writeFileAtomic(join(directory, path), await png(shown));
        lines.push(JSON.stringify({ image: path, caption: said }));
      }
      bar.update(from + pairs.length);
    }
    bar.done();
  } catch (error) {
    bar.fail();
    throw error;
  }
  await writeFileAtomic(file, `${lines.join('\n')}\n`);
  return file;
}

/** The pairs of a JSONL file that `writeFolder` wrote. */
export async function readFolder(directory: string, file: string): Promise<FilePair[]> {
  const text = await readFile(file, 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { image: string; caption: string })
    .map(({ image, caption: said }) => ({ image: join(directory, image), text: said }));
}
