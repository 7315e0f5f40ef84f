/** @file Where images stand among a batch's tokens: the modality mask, rows of image features, and positions. Made once, on the host. */
import { NarrowsError } from '../../system/errors.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { imageTokens, type LlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import { spatialPositions } from './mrope.ts';
import { noLayouts, type Pictured, type PictureLayout, tokensOf } from './pictures.ts';

/** What a token is. */
export const MODALITY = { padding: 0, text: 1, image: 2 } as const;

/** A batch's tokens; every tensor is int32 [B, T]. */
export interface Placement {
  /** Image tokens and padding hold 0, so that every id lies in the vocabulary. */
  readonly ids: Tensor;
  readonly attentionMask: Tensor;
  /** Per token: MODALITY. */
  readonly modality: Tensor;
  /** At image tokens, the row in the features of all images [images · N, width]; 0 elsewhere. */
  readonly imageRows: Tensor;
  /** Number of the token in its row; padding before a token is 1 (as transformers' generate), padding behind counts on. */
  readonly positions: Tensor;
  /** int32 [B, T, 2]: row and column, of a family whose positions go by them; `positions` are then those of time (mrope.ts). */
  readonly spatial?: Tensor;
}

/** Image tokens that one of the images to be placed takes: LLaVA's N; in other families each row of features is an image of one token. */
export const placementUnit = (config: LlavaConfig): number => (familyOf(config) ? 1 : imageTokens(config));

/** Image tokens of an ordinary picture: LLaVA's N exactly. To group samples by length, and to say how long prompts are. */
export const typicalImageTokens = (config: LlavaConfig): number => familyOf(config)?.typicalTokens(config) ?? imageTokens(config);

/** How many images pixel values or features hold, as `placeImages` counts them. @throws NarrowsError where only layouts could tell */
export function imagesIn(config: LlavaConfig, pixels: Pictured | undefined): number {
  const family = familyOf(config);
  if (!pixels || !family) return pixels?.shape[0] ?? 0;
  return pixels.layouts?.reduce((sum, layout) => sum + tokensOf(layout), 0) ?? family.rows(config, pixels);
}

/**
 * Places images at the image tokens, in reading order: the first image's N features at the first N image tokens of the batch, and so on.
 * @param inputIds int32 [B, T]
 * @param attentionMask integers [B, T], 1 = token; all by default. An image token where it is 0 is padding.
 * @param images how many images the batch has (see `imagesIn`)
 * @param perImage how many tokens an image takes
 * @param layouts of the pictures in order, which a family needs whose positions go by row and column
 * @throws NarrowsError in one sentence for image tokens without their image, the reverse, an image cut in two, an id outside the vocabulary
 */
export function placeImages(
  config: LlavaConfig,
  inputIds: Tensor,
  images: number,
  attentionMask?: Tensor,
  perImage = placementUnit(config),
  layouts: readonly PictureLayout[] = [],
): Placement {
  const [batch, length] = inputIds.shape;
  const { image_token_index: imageToken, text_config } = config;
  const source = inputIds.data as Int32Array;
  if (attentionMask && attentionMask.data.length !== source.length)
    throw new NarrowsError(`attention_mask has ${attentionMask.data.length} entries, but input_ids has ${source.length}.`);
  const make = (): Int32Array => new Int32Array(source.length);
  const [ids, mask, modality, imageRows, positions] = [make(), make(), make(), make(), make()];
  let row = 0;
  for (let b = 0; b < batch; b++) {
    const start = row;
    let count = 0;
    const shownAt = (i: number): boolean => !attentionMask || Number(attentionMask.data[i]) !== 0;
    let last = (b + 1) * length - 1;
    while (last >= b * length && !shownAt(last)) last--;
    for (let i = b * length; i < (b + 1) * length; i++) {
      const id = Number(source[i]);
      const shown = shownAt(i);
      mask[i] = shown ? 1 : 0;
      positions[i] = shown || i > last ? count++ : 1;
      if (!shown) continue;
      if (id === imageToken) {
        modality[i] = MODALITY.image;
        imageRows[i] = row++;
        continue;
      }
      if (id < 0 || id >= text_config.vocab_size)
        throw new NarrowsError(
          `The token id ${id} lies outside of the vocabulary of ${text_config.vocab_size}; tokenizer and model do not belong together.`,
        );
      modality[i] = MODALITY.text;
      ids[i] = id;
    }
    if ((row - start) % perImage)
      throw new NarrowsError(
        `Conversation ${b + 1} of the batch has ${row - start} image tokens, which is no multiple of the ${perImage} that one image takes; write each <image> as ${perImage} tokens.`,
      );
  }
  if (row !== images * perImage) throw new NarrowsError(countSentence(row / perImage, images));
  const all = (data: Int32Array): Tensor => ints([batch, length], data);
  const placed = { ids: all(ids), attentionMask: all(mask), modality: all(modality), imageRows: all(imageRows), positions: all(positions) };
  const family = familyOf(config);
  if (!family?.tokenGrid) return placed;
  if (row > 0 && layouts.length === 0) throw noLayouts();
  const grids = layouts.map(layout => family.tokenGrid!(config, layout));
  return {
    ...placed,
    ...spatialPositions(
      [batch, length],
      i => mask[i] === 1,
      i => modality[i] === MODALITY.image,
      grids,
    ),
  };
}

const plural = (n: number, what: string): string => `${n === 0 ? 'no' : n} ${what}${n === 1 ? '' : 's'}`;

function countSentence(tokens: number, images: number): string {
  const mend = tokens > images ? 'give an image for each <image>' : 'write <image> in the text where each image belongs';
  return `The text has ${plural(tokens, '<image> token')}, but ${plural(images, 'image')} ${images === 1 ? 'was' : 'were'} given; ${mend}.`;
}

/** Each image token of a row repeated for the features that one image takes: what LLaVA's processor does to a text's single <image>. */
export function expandImageTokens(config: LlavaConfig, ids: readonly number[], perImage = imageTokens(config)): number[] {
  return ids.flatMap(id => (id === config.image_token_index ? Array<number>(perImage).fill(id) : [id]));
}
