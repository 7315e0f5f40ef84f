/** @file Modality pre-fusion (LLaVA-Mini, arXiv 2501.03895, section 4.1, eq. 3; several images as the frames of section 4.2). */
import {
  add,
  broadcastTo,
  concat,
  fill,
  gather,
  iota,
  matmul,
  mulDims,
  reshape,
  scope,
  slice,
  unsqueeze,
  type Value,
} from '../../graph/index.ts';
import { type DecoderConfig, decoderLayer, decoderMask } from '../../nn/decoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { ropeFrequencies, ropeTable } from '../../nn/rope.ts';
import type { TokenValues } from '../llava/forward.ts';

/** The tokens of a batch as graph values; see `MiniPlacement`. */
export interface MiniTokenValues extends TokenValues {
  /** int32 [B, T] */
  readonly fused: Value;
  /** int32 [B, T] */
  readonly fusedPositions: Value;
  /** int32 [I] */
  readonly owners: Value;
  /** [B, I] */
  readonly shares: Value;
}

/** What pre-fusion gives. */
export interface Fused {
  /** [B, T, width]: the mean over a row's images; meaningless where `tokens.fused` is 0 */
  readonly words: Value;
  /** [I, V, width] */
  readonly vision: Value;
}

/**
 * Each image with the words of its conversation through the blocks.
 *
 * From the paper: the blocks have the decoder's structure and read [vision tokens; instruction], their outputs at the instruction replace
 * its embeddings, and the fused words of several images are averaged. Not in the paper, as the official code has it: names
 * (`prefusion_layers.{i}.…`), a causal mask, rotary positions that count shown tokens, no norm behind the last block, words of answers
 * hidden and left as they are. Known from neither: several images in one conversation that are no video; they are treated as frames.
 *
 * Left out of the official code, as likely accidents: it hides words of id 0, lets no gradient from fused words into the embedding table,
 * and when training fuses a text without an image with a black one.
 * @param p the whole model's scope
 * @param layers number of blocks
 * @param vision [I, V, width]: all vision tokens, in the form `checkpoint` with the compressed ones behind them
 * @param words [B, T, width]
 */
export function prefuse(p: Parameters, config: DecoderConfig, layers: number, vision: Value, words: Value, tokens: MiniTokenValues): Fused {
  const [images, count] = vision.shape as [string | number, number];
  const [batch, length, width] = words.shape;
  return scope('model.prefusion_layers', () => {
    const perQuestion = (x: Value): Value => gather(x, tokens.owners);
    const shown = concat([fill([images, count], 1, 'int32', vision), perQuestion(tokens.fused)], 1);
    const places = broadcastTo(unsqueeze(iota(vision, 1), 0), [images, count], vision);
    const positions = concat([places, add(perQuestion(tokens.fusedPositions), count)], 1);
    const rope = ropeTable(positions, ropeFrequencies(config.head_dim, config.rope_theta, config.scaling));
    const mask = decoderMask(shown);
    let x = concat([vision, perQuestion(words)], 1);
    for (let i = 0; i < layers; i++)
      x = scope(`${i}`, () => decoderLayer(p.in(`model.prefusion_layers.${i}`), config, x, { rope, mask }).hidden);
    // [B, I] · [I, T·width]: the mean over each row's images.
    const flat = reshape(slice(x, 1, count), [images, mulDims([length, width])]);
    return { words: reshape(matmul(tokens.shares, flat), [batch, length, width]), vision: slice(x, 1, 0, count) };
  });
}
