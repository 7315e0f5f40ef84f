/** @file Image–text pairs as methods take them, and the encoding that every method starts from: hidden states, features, cosine. */
import { pictureWarnings, readingRecord } from '../inputs/image/picture-warnings.ts';
import { type ProcessedImage, stackImages } from '../inputs/image/processor.ts';
import type { Rectangle, RgbImage } from '../inputs/image/rgb-image.ts';
import { captionWarnings, requireKnown, requireText } from '../inputs/text/require-text.ts';
import type { TokenizedBatch } from '../inputs/text/tokenizer.ts';
import type { DualEncoder, TowerInputs } from '../models/dual-encoder.ts';
import { coveredByPatches } from '../models/process-image.ts';
import { NarrowsError } from '../system/errors.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { rowsThatFit } from './memory.ts';
import type { Attribution } from './result.ts';
import { row } from './rows.ts';

/** An image and a caption. */
export interface Pair {
  readonly image: RgbImage;
  readonly text: string;
  /** What the pair is called in its data set; maps made elsewhere are found by it. */
  readonly id?: string;
  /** File name and hash for the record. */
  readonly imageName?: string;
  readonly imageSha256?: string;
  /**
   * Normalised pixels [3, H, W] in place of what the model's processor makes of `image`: a picture with noise, or one that another tool
   * prepared. `image` is still what the map lies on.
   */
  readonly pixelValues?: FloatTensor;
}

/** What a result says of a pair's picture. @param image the picture that the map lies on, where it is not the pair's */
export const imageProvenance = (pair: Pair, { width, height }: RgbImage = pair.image): Attribution['provenance']['image'] => ({
  name: pair.imageName ?? '',
  sha256: pair.imageSha256 ?? '',
  width,
  height,
  ...readingRecord(pair.image),
});

/** One tower's view of P pairs. */
export interface EncodedTower {
  readonly inputs: TowerInputs;
  /** Output of the asked block, [P, N, D]. */
  readonly hidden: FloatTensor;
  /** [P, E], not normalised. */
  readonly features: FloatTensor;
}

/** P pairs after both towers. */
export interface EncodedPairs {
  readonly pairs: readonly Pair[];
  readonly image: EncodedTower & { readonly views: readonly Rectangle[]; readonly grid: readonly [number, number] };
  readonly text: EncodedTower & { readonly batch: TokenizedBatch };
  readonly cosines: readonly number[];
}

/** Layers whose outputs are wanted, per tower. */
export interface Layers {
  readonly image: number;
  readonly text: number;
}

/**
 * Encodes pairs; each image is processed as the checkpoint says (or to a square of `imageSize`).
 * @throws NarrowsError for an empty text, one of only unknown words, or an image or pixels that the model cannot take
 */
export async function encodePairs(
  model: DualEncoder,
  pairs: readonly Pair[],
  layers: Layers,
  options: { imageSize?: number; maxMemory?: number; onWarning?: (message: string, pair: number) => void } = {},
): Promise<EncodedPairs> {
  const processed = pairs.map(pair => processPair(model, pair, options.imageSize));
  const pixels = stackImages(processed.map(p => p.pixelValues));
  for (const [i, { pixelValues }] of processed.entries())
    for (const warning of pictureWarnings(pairs[i].image, pixelValues)) options.onWarning?.(warning, i);
  const tokenizer = model.requireTokenizer();
  const batch = tokenizer.encodeBatch(
    pairs.map(pair => requireText(pair.text)),
    { maxLength: model.maxTextLength },
  );
  for (const [i, row] of batch.rows.entries()) {
    requireKnown(pairs[i].text, row);
    for (const warning of captionWarnings(pairs[i].text, row)) options.onWarning?.(warning, i);
  }
  const imageInputs = model.imageInputs(pixels);
  const textInputs = model.textInputs(batch.inputIds, batch.attentionMask);
  if (options.maxMemory !== undefined) {
    const [rows, columns] = model.image.grid!(pixels.shape[2], pixels.shape[3]);
    rowsThatFit(options.maxMemory, model.image, model.image.prefixTokens + rows * columns, model.image.layers, false);
  }
  const image = await model.runTower(model.image, imageInputs, layers.image);
  const text = await model.runTower(model.text, textInputs, layers.text);
  const [, , height, width] = pixels.shape;
  return {
    pairs,
    image: { inputs: imageInputs, ...image, views: processed.map(p => p.view), grid: model.image.grid!(height, width) },
    text: { inputs: textInputs, ...text, batch },
    cosines: pairs.map((_, i) => cosine(row(image.features, i), row(text.features, i))),
  };
}

/** A pair's pixels as far as patches cover them, and the part of the picture that they show. */
export function processPair(model: Pick<DualEncoder, 'processor' | 'image'>, { image, pixelValues }: Pair, size?: number): ProcessedImage {
  const whole = model.processor.process(image, { size });
  const covered = coveredByPatches(model, whole);
  if (!pixelValues) return covered;
  const fits = ({ pixelValues: { shape } }: ProcessedImage): boolean => shape.join() === pixelValues.shape.join();
  checkPixelValues(pixelValues, fits(covered) ? covered : whole);
  return fits(covered) ? { ...covered, pixelValues } : coveredByPatches(model, { ...whole, pixelValues });
}

/** @throws NarrowsError where a pair's own pixels have another shape than what the processor makes of its image, or are not finite */
export function checkPixelValues({ shape, data }: FloatTensor, { pixelValues: { shape: want } }: ProcessedImage): void {
  if (shape.join() !== want.join())
    throw new NarrowsError(
      `The pixel values of a pair have the shape [${shape.join(', ')}], but its image becomes [${want.join(', ')}]; give normalised pixels of that shape.`,
    );
  if (data.some(v => !Number.isFinite(v))) throw new NarrowsError('The pixel values of a pair hold NaN or infinity.');
}

/** Cosine of two vectors. @throws NarrowsError where one is zero */
export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  const value = dot / Math.sqrt(aa * bb);
  if (!Number.isFinite(value))
    throw new NarrowsError('An embedding is zero or not finite, so no cosine exists; is the checkpoint damaged?');
  return value;
}
