/** @file Writes scenes to a directory: PNG images and one JSON line per scene with every label. Interrupted, it goes on where it stopped. */
import { access, readFile } from '../node/disk.ts';
import { writeFileAtomic } from '../node/files.ts';
import { lockOutput } from '../node/output-lock.ts';
import { join } from '../node/paths.ts';
import { sharp } from '../node/sharp.ts';
import { NarrowsError } from '../system/errors.ts';
import { RandomStream } from '../tensor/random.ts';
import { type CaptionOptions, caption } from './captions.ts';
import { CONCEPTS } from './concepts.ts';
import { llavaJson } from './llava-data.ts';
import { type Question, questions } from './questions.ts';
import { encodeRle, type Rle } from './rle.ts';
import { drawScene, SCENE_DEFAULTS, type Scene, type SceneOptions } from './scene.ts';
import { SPRITE_SIZES, TRAIN_STYLES } from './sprite-atlas.ts';
import { loadSprites } from './sprites.ts';

/** Version of the lines in `scenes.jsonl`. */
export const SCENE_SCHEMA_VERSION = 1;

/** One line of `scenes.jsonl`. */
export interface SceneRecord {
  readonly schemaVersion: number;
  /** Path of the PNG, relative to the directory. */
  readonly file_name: string;
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** The scene is cell (step 0, `sample`) of the seed's stream `scenes`, its caption of stream `captions`. */
  readonly sample: number;
  readonly background: { readonly color: string; readonly rgb: readonly number[]; readonly texture: string };
  /** In drawing order, the last in front. */
  readonly objects: readonly SceneRecordObject[];
  readonly questions?: readonly Question[];
}

/** One object of a `SceneRecord`. */
export interface SceneRecordObject {
  readonly name: string;
  /** Icon name in the art sets. */
  readonly concept: string;
  readonly style: string;
  readonly size: number;
  readonly flipped: boolean;
  /** COCO order: left, top, width, height; tight around the visible pixels. */
  readonly box: readonly [number, number, number, number];
  /** Visible pixels, and their share of the object. */
  readonly area: number;
  readonly visible: number;
  /** Visible pixels. */
  readonly mask?: Rle;
}

/** Options of `writeScenes`, besides those of a scene. */
export interface DatasetOptions extends SceneOptions {
  /** Number of scenes. */
  count: number;
  /** Non-negative integer; default 0. */
  seed?: number;
  outputDirectory: string;
  captions?: CaptionOptions;
  /** Add questions with answers to every line; default false. */
  questions?: boolean;
  /** Write `llava.json` too: conversations in LLaVA's format; default false. */
  llava?: boolean;
  /** Add pixel masks to every object; default true. */
  masks?: boolean;
  cacheDirectory?: string;
  /** Called after each image with the number that stand on disk. */
  onProgress?: (done: number, total: number) => void;
  /** Called while sprites are rendered (only when they are not in the cache). */
  onSprites?: (style: string, done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Writes `images/NNNNNN.png`, `scenes.jsonl`, `dataset.json` (the settings), and on request `llava.json`. Every file is whole or absent; run again with the same
 * settings it keeps the images that are there, and a larger `count` extends the set. Returns the number of images drawn now.
 * @throws NarrowsError when the directory holds scenes of other settings or cannot be written; the signal's reason when aborted.
 */
export async function writeScenes(options: DatasetOptions): Promise<{ directory: string; count: number; drawn: number }> {
  const { count, outputDirectory, onProgress, signal } = options;
  const { seed = 0, questions: withQuestions = false, masks = true, captions = {} } = options;
  if (!Number.isSafeInteger(count) || count < 1)
    throw new NarrowsError(`The number of scenes must be a positive integer, got ${count}.`, { kind: 'usage' });
  const stream = new RandomStream(seed, 'scenes');
  const captionStream = new RandomStream(seed, 'captions');
  const questionStream = new RandomStream(seed, 'questions');
  const scene = sceneOptionsOf(options);
  const world = await loadSprites({
    styles: scene.styles,
    sizes: spriteSizes(scene),
    cacheDirectory: options.cacheDirectory,
    onProgress: options.onSprites,
    signal,
  });
  // Fails before anything is written when the options cannot be met.
  drawScene(world, scene, stream.reader(0, 0));
  await using _ = await lockOutput(outputDirectory, 'directory', { folders: ['images'] });
  await claimDirectory(outputDirectory, { schemaVersion: SCENE_SCHEMA_VERSION, seed, scene, captions, questions: withQuestions, masks });

  const nameOf = (sample: number) => `images/${String(sample).padStart(6, '0')}.png`;
  let next = 0;
  let done = 0;
  let drawn = 0;
  const work = async () => {
    for (let sample = next++; sample < count; sample = next++) {
      signal?.throwIfAborted();
      const path = join(outputDirectory, nameOf(sample));
      if (!(await exists(path))) {
        const { width, height, image } = drawScene(world, scene, stream.reader(0, sample));
        await writeFileAtomic(
          path,
          await sharp(image.data, { raw: { width, height, channels: 3 } })
            .png()
            .toBuffer(),
        );
        drawn++;
      }
      onProgress?.(++done, count);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;

  // Drawn once more rather than kept: memory stays flat, and a resumed run writes the same lines.
  function* lines(): Generator<Uint8Array> {
    const encoder = new TextEncoder();
    let text = '';
    for (let sample = 0; sample < count; sample++) {
      signal?.throwIfAborted();
      const drawing = drawScene(world, scene, stream.reader(0, sample));
      const record: SceneRecord = {
        ...sceneRecord(drawing, masks),
        file_name: nameOf(sample),
        caption: caption(drawing, captionStream.reader(0, sample), captions),
        seed,
        sample,
        ...(withQuestions ? { questions: questions(drawing, questionStream.reader(0, sample)) } : {}),
      };
      text += `${JSON.stringify(record)}\n`;
      if (text.length > 1 << 18 || sample === count - 1) {
        yield encoder.encode(text);
        text = '';
      }
    }
  }
  try {
    await writeFileAtomic(join(outputDirectory, 'scenes.jsonl'), lines());
    if (options.llava) await writeFileAtomic(join(outputDirectory, 'llava.json'), llavaJson(world, scene, { seed, count, nameOf, signal }));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return { directory: outputDirectory, count, drawn };
}

/** The labels of a scene as they stand in a line of `scenes.jsonl`, without file name, caption and seed. */
export function sceneRecord(scene: Scene, masks = true): Omit<SceneRecord, 'file_name' | 'caption' | 'seed' | 'sample'> {
  const { width, height, background, owners } = scene;
  const round = (value: number) => Math.round(value * 1e4) / 1e4;
  return {
    schemaVersion: SCENE_SCHEMA_VERSION,
    width,
    height,
    background: { ...background, rgb: background.rgb.map(round) },
    objects: scene.objects.map((object, k) => ({
      name: object.name,
      concept: CONCEPTS[object.concept].icon,
      style: object.style,
      size: object.size,
      flipped: object.flipped,
      box: [object.box.left, object.box.top, object.box.width, object.box.height],
      area: object.area,
      visible: round(object.visible),
      ...(masks ? { mask: encodeRle(owners, width, height, k) } : {}),
    })),
  };
}

/** In the order in which `dataset.json` has them. */
const SCENE_KEYS = [
  'width',
  'height',
  'minObjects',
  'maxObjects',
  'minSize',
  'maxSize',
  'styles',
  'concepts',
  'place',
  'maxOverlap',
  'flip',
  'colorJitter',
  'color',
  'textures',
] as const satisfies readonly (keyof SceneOptions)[];

/** The scene's part of the options, defaults filled in, so that `dataset.json` says everything. */
function sceneOptionsOf(options: DatasetOptions): SceneOptions {
  const known = Object.fromEntries(SCENE_KEYS.flatMap(key => (options[key] === undefined ? [] : [[key, options[key]]])));
  return { ...SCENE_DEFAULTS, styles: TRAIN_STYLES, ...known };
}

/** Sprite sizes that cover the scene's range: the usual ones where they do, else up to a dozen over the range. */
function spriteSizes({ minSize = SCENE_DEFAULTS.minSize, maxSize = SCENE_DEFAULTS.maxSize }: SceneOptions): readonly number[] {
  if (minSize >= SPRITE_SIZES[0] && maxSize <= SPRITE_SIZES[SPRITE_SIZES.length - 1]) return SPRITE_SIZES;
  const step = Math.max(2, Math.ceil((maxSize - minSize) / 11));
  return Array.from({ length: Math.floor((maxSize - minSize) / step) + 1 }, (_, i) => minSize + i * step);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Writes `dataset.json`, or makes sure that the one there says the same. @throws NarrowsError where it says something else */
export async function claimDirectory(directory: string, settings: object): Promise<void> {
  const path = join(directory, 'dataset.json');
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === null) {
    if (await exists(join(directory, 'scenes.jsonl'))) {
      throw new NarrowsError(`${directory} holds a scenes.jsonl without the dataset.json it belongs to; choose another directory.`);
    }
    await writeFileAtomic(path, text);
  } else if (present !== text) {
    throw new NarrowsError(
      `${directory} holds scenes of other settings (see its dataset.json); choose another directory, or delete it first.`,
    );
  }
}
