/** @file A sample as the model sees it: its key in the cache, its truth per pixel of the view or per word. */

import { processPair } from '../../../attribution/pair.ts';
import { contentName } from '../../../attribution/perturbation/feature-store.ts';
import { pictureWarnings } from '../../../inputs/image/picture-warnings.ts';
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';
import { captionWarnings } from '../../../inputs/text/require-text.ts';
import { mergeWords } from '../../../inputs/text/words.ts';
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { createHash } from '../../../node/hash.ts';
import { maskInView } from '../data/masks.ts';
import type { CompareSample } from '../data/sample.ts';
import { keyOf } from '../settings.ts';

/** A sample made ready. */
export interface Prepared {
  readonly sample: CompareSample;
  /** Name of the pair's record. */
  readonly key: string;
  /** Draws of sampling metrics are keyed by it. */
  readonly draw: number;
  /** Height and width of the model's view. */
  readonly size: readonly [number, number];
  /** [H·W] or one per word; none where nothing is marked. */
  readonly truth?: Uint8Array;
  /** What is to be said of its picture and its caption. */
  readonly warnings: readonly string[];
}

const sha = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

const pictureSha = (image: RgbImage): string => sha(`${image.width}x${image.height}:`, image.data);

/** @param imageSize as `--image-size` */
export async function prepare(model: DualEncoder, sample: CompareSample, imageSize?: number): Promise<Prepared> {
  const { pixelValues, view } = processPair(model, sample.pair, imageSize);
  const size = [pixelValues.shape[1], pixelValues.shape[2]] as const;
  const mask = sample.modality === 'image' ? sample.truth && maskInView(sample.truth, view, size) : wordTruth(model, sample);
  const truth = mask?.includes(1) ? mask : undefined;
  const key = keyOf(
    'pair',
    await model.sha256(),
    model.processor.config,
    imageSize ?? null,
    sample.modality,
    pictureSha(sample.pair.image),
    sample.pair.text,
    truth ? sha(truth) : null,
    ...(sample.pair.pixelValues ? [contentName(sample.pair.pixelValues)] : []),
  );
  const [row] = model.requireTokenizer().encodeBatch([sample.pair.text], { maxLength: model.maxTextLength }).rows;
  const warnings = [
    ...pictureWarnings(sample.pair.image, pixelValues, `Image ${sample.pair.imageName ?? sample.id}`),
    ...captionWarnings(sample.pair.text, row),
  ];
  if (sample.modality === 'image' && sample.truth && !truth)
    warnings.push(
      `Image ${sample.pair.imageName ?? sample.id}: what is marked covers no pixel of what the model sees, so metrics of localisation leave ${sample.id} out.`,
    );
  return { sample, key, draw: Number.parseInt(sha(key).slice(0, 8), 16), size, truth, warnings };
}

/** 1 for words that overlap a named span. */
function wordTruth(model: DualEncoder, { pair, named }: CompareSample): Uint8Array | undefined {
  if (!named) return undefined;
  const [{ tokens }] = model.requireTokenizer().encodeBatch([pair.text], { maxLength: model.maxTextLength }).rows;
  const words = mergeWords(pair.text, tokens, new Float32Array(tokens.length));
  return Uint8Array.from(words, w => (named.some(([start, end]) => w.start < end && w.end > start) ? 1 : 0));
}
