/** @file Where images and instructions stand among a batch's tokens. Made once, on the host. */
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expandImageTokens, MODALITY, type Placement, placeImages } from '../llava/placement.ts';
import { compressedTokens, type LlavaMiniConfig } from './config.ts';

/** A LLaVA placement whose images take C² tokens, with what pre-fusion needs. */
export interface MiniPlacement extends Placement {
  /** int32 [B, T], 1 = a word that goes through pre-fusion: of the instruction, in a conversation with an image */
  readonly fused: Tensor;
  /** int32 [B, T]: how many fused words stand before a token */
  readonly fusedPositions: Tensor;
  /** int32 [I]: the row of the batch that an image belongs to */
  readonly owners: Tensor;
  /** float32 [B, I]: 1 / images of the row where the image is its own, else 0 */
  readonly shares: FloatTensor;
}

/** Options of `placeMini`. */
export interface MiniPlacementOptions {
  /** integers [B, T], 1 = token; all by default */
  readonly attentionMask?: Tensor;
  /** integers [B, T], 1 = part of an instruction, 0 = of an answer; all by default (a prompt) */
  readonly instruction?: Tensor;
}

/**
 * As `placeImages`, for LLaVA-Mini. Answers are not fused: the paper fuses "language instructions", and a generated token never is, so that
 * training and decoding see the same. A conversation without an image is not fused either (as the official code when it generates).
 * @param inputIds int32 [B, T], C² image tokens per image
 * @throws NarrowsError as `placeImages`, and for a mask of another size
 */
export function placeMini(config: LlavaMiniConfig, inputIds: Tensor, images: number, options: MiniPlacementOptions = {}): MiniPlacement {
  const { attentionMask, instruction } = options;
  if (instruction && instruction.data.length !== inputIds.data.length)
    throw new NarrowsError(`The instruction mask has ${instruction.data.length} entries, but input_ids has ${inputIds.data.length}.`);
  const perImage = compressedTokens(config);
  const placement = placeImages(config, inputIds, images, attentionMask, perImage);
  const [batch, length] = inputIds.shape;
  const modality = placement.modality.data as Int32Array;
  const rows = placement.imageRows.data as Int32Array;
  const owners = new Int32Array(images);
  const counts = new Int32Array(batch);
  modality.forEach((kind, i) => {
    if (kind !== MODALITY.image || rows[i] % perImage) return;
    const row = Math.floor(i / length);
    owners[rows[i] / perImage] = row;
    counts[row]++;
  });
  const shares = new Float32Array(batch * images);
  owners.forEach((row, image) => {
    shares[row * images + image] = 1 / counts[row];
  });
  const fused = new Int32Array(modality.length);
  const before = new Int32Array(modality.length);
  for (let b = 0; b < batch; b++) {
    let count = 0;
    for (let i = b * length; i < (b + 1) * length; i++) {
      before[i] = count;
      if (modality[i] !== MODALITY.text || !counts[b] || (instruction && !Number(instruction.data[i]))) continue;
      fused[i] = 1;
      count++;
    }
  }
  return {
    ...placement,
    fused: ints([batch, length], fused),
    fusedPositions: ints([batch, length], before),
    owners: ints([images], owners),
    shares: floats([batch, images], shares),
  };
}

/** The instruction mask that labels tell: what is not supervised (−100). */
export const instructionOf = (labels: Tensor): Tensor =>
  ints(
    labels.shape,
    Int32Array.from(labels.data as Int32Array, label => (Number(label) === -100 ? 1 : 0)),
  );

/** Each image token of a row repeated C² times. */
export const expandMiniTokens = (config: LlavaMiniConfig, ids: readonly number[]): number[] =>
  expandImageTokens(config, ids, compressedTokens(config));
