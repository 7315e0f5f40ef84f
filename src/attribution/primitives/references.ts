/**
 * @file Baselines drawn at random for expected gradients. A pair must come out by itself as it does in a batch, so they are made from the pair
 * itself: pictures of its own colours without its shapes, captions of random words. Other pictures of the batch are an option.
 */
import type { TowerInputs } from '../../models/dual-encoder.ts';
import { patchSize } from '../../models/process-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { row } from '../rows.ts';
import { type BaselineModel, replacePlayers } from './baselines.ts';

/** The picture's pixels drawn anew at every place, its patches in another order, or another picture of the batch. */
export const IMAGE_REFERENCES = ['pixels', 'patches', 'batch'] as const;
/** One of them. */
export type ImageReference = (typeof IMAGE_REFERENCES)[number];

/** The tower's inputs with reference s in place of each pair's own input. */
export type ReferenceDraw = (s: number) => TowerInputs;

/** Draws reference pictures. @throws NarrowsError for `batch` for a single pair */
export function imageReferences(job: TowerJob, kind: ImageReference, seed: number): ReferenceDraw {
  const pixels = job.inputs.pixel_values as FloatTensor;
  const pairs = pixels.shape[0];
  if (kind === 'batch' && pairs < 2)
    throw new NarrowsError('References from the batch need at least two images in it; take the references "pixels" or "patches".', {
      kind: 'usage',
    });
  const stream = new RandomStream(seed, 'expected-gradients.image');
  const words = new Uint32Array(pixels.shape[2] * pixels.shape[3]);
  return s => {
    const out = floats(pixels.shape, new Float32Array(pixels.data.length));
    if (kind === 'pixels') stream.words(0, s, words);
    for (let p = 0; p < pairs; p++) {
      const [from, to] = [row(pixels, p), row(out, p)];
      // One cell for all pairs: who else is in the batch does not matter.
      const reader = stream.reader(0, s);
      if (kind === 'pixels') drawPixels(from, to, words);
      else if (kind === 'patches') shufflePatches(from, to, job, reader);
      else to.set(row(pixels, (p + 1 + reader.integer(pairs - 1)) % pairs));
    }
    return { ...job.inputs, pixel_values: out };
  };
}

/** Every place gets the colour of a place drawn at random. @param words one random word per place */
function drawPixels(from: Float32Array, to: Float32Array, words: Uint32Array): void {
  const plane = words.length;
  for (let i = 0; i < plane; i++) {
    const at = Math.floor(words[i] * 2 ** -32 * plane);
    for (let c = 0; c < from.length; c += plane) to[c + i] = from[c + at];
  }
}

function shufflePatches(from: Float32Array, to: Float32Array, job: TowerJob, reader: RandomReader): void {
  const [rows, columns] = job.grid!;
  const [height, width] = job.size!;
  const edge = patchSize(job.tower);
  const order = reader.shuffle(Array.from({ length: rows * columns }, (_, i) => i));
  to.set(from);
  order.forEach((source, target) => {
    const [y0, x0] = [Math.floor(target / columns) * edge, (target % columns) * edge];
    const [y1, x1] = [Math.floor(source / columns) * edge, (source % columns) * edge];
    for (let c = 0; c < from.length / (height * width); c++)
      for (let y = 0; y < edge; y++) {
        const at = (c * height + y1 + y) * width + x1;
        to.set(from.subarray(at, at + edge), (c * height + y0 + y) * width + x0);
      }
  });
}

/** Draws reference captions: special tokens stay, the others become random ones of the vocabulary. */
export function textReferences(model: BaselineModel, job: TowerJob, seed: number): ReferenceDraw {
  const count = model.vocabularySize;
  const stream = new RandomStream(seed, 'expected-gradients.text');
  const length = job.inputs.input_ids.shape[1];
  const ids = Array.from(job.inputs.input_ids.data as Int32Array);
  // Ends of captions never stand inside.
  const special = job.players.map(
    (players, p) => new Set(ids.slice(p * length, p * length + job.lengths[p]).filter((_, n) => !players.includes(n))),
  );
  return s => {
    const readers = job.players.map(() => stream.reader(0, s));
    const draw = (p: number): number => {
      for (let tries = 0; tries < 100; tries++) {
        const id = readers[p].integer(count);
        if (!special[p].has(id)) return id;
      }
      throw new NarrowsError('The vocabulary holds only special tokens.');
    };
    return { ...job.inputs, input_ids: replacePlayers(job, draw) };
  };
}
