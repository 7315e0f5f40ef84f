/**
 * @file LLaVA-Mini as a traced graph (Zhang, Fang, Yang, Feng, ICLR 2025, arXiv 2501.03895): LLaVA whose decoder gets C² compressed tokens
 * per image, and words that pre-fusion has filled with the image. Sources: see `llavaMiniForward`.
 */
import { concat, equal, gather, mulDims, reshape, slice, unsqueeze, type Value, where } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';

import {
  type LlavaOutput,
  type LlavaTap,
  languageHead,
  languageModel,
  placeFeatures,
  projectFeatures,
  towerFeatures,
} from '../llava/forward.ts';
import { MODALITY } from '../llava/placement.ts';
import { decoderConfig } from '../llava/text-config.ts';
import { type Compressed, compress } from './compression.ts';
import { compressedTokens, type LlavaMiniConfig } from './config.ts';
import { type MiniTokenValues, prefuse } from './prefusion.ts';

/** The images of a batch before they meet words. */
export interface MiniVision extends Compressed {
  /** [I, N², width of the decoder]: all vision tokens, which pre-fusion reads */
  readonly vision: Value;
  /** [I, C², width of the decoder] */
  readonly tokens: Value;
}

/** @param tower [I, N², …] of `towerFeatures` */
export function compressImages(p: Parameters, config: LlavaMiniConfig, tower: Value): MiniVision {
  const vision = projectFeatures(p, config, tower);
  if (config.llava_mini_form === 'paper') return { vision, ...compress(p, config, vision) };
  const { tokens, attention } = compress(p, config, tower);
  return { vision, attention, tokens: projectFeatures(p, config, tokens) };
}

/** What the decoder reads. */
export interface MiniEmbedding {
  /** [B, T, width] */
  readonly embedded: Value;
  readonly images?: MiniVision;
}

/**
 * Words, fused where an instruction meets an image, with compressed tokens at the image tokens.
 * @param tower [I, N², …] of `towerFeatures`; none: text only, and nothing is fused
 */
export function embedConversation(p: Parameters, config: LlavaMiniConfig, tokens: MiniTokenValues, tower?: Value): MiniEmbedding {
  const words = placeFeatures(p, config, tokens);
  if (!tower) return { embedded: words };
  const images = compressImages(p, config, tower);
  const through = config.llava_mini_form === 'checkpoint';
  const read = through ? concat([images.vision, images.tokens], 1) : images.vision;
  const fused = prefuse(p, decoderConfig(config), config.prefusion_layer_num, read, words, tokens);
  const compressed = through ? slice(fused.vision, 1, -compressedTokens(config)) : images.tokens;
  const rows = reshape(compressed, [mulDims(compressed.shape.slice(0, 2)), config.text_config.hidden_size]);
  const text = where(unsqueeze(equal(tokens.fused, 1), -1), fused.words, words);
  const embedded = where(unsqueeze(equal(tokens.modality, MODALITY.image), -1), gather(rows, tokens.imageRows), text);
  return { embedded, images: { ...images, tokens: compressed } };
}

/** What the whole forward pass gives; `imageFeatures` are all vision tokens [I, N², width]. */
export interface LlavaMiniOutput extends LlavaOutput {
  /** [I, C², width]: the image as the decoder gets it */
  readonly compressed?: Value;
  /** [I, C², N²]: see `Compressed` */
  readonly compression?: Value;
}

/**
 * The whole model; `nextTokenLoss` takes its logits.
 *
 * From the paper: eq. 2 (`compress`), eq. 3 (`prefuse`), [compressed tokens; fused words] into the decoder, here with the compressed tokens
 * where the image stands in the text (as LLaVA and the official code have it). In the form `checkpoint` (see `compress`), the compressed
 * tokens also go through pre-fusion, between vision tokens and words, and the decoder gets what comes out.
 * Not built: the 672-pixel variant, which cuts an image in four. Not known: whether the published weights (GPL-3.0, about 19.08 GB in four
 * files, which is what bfloat16 weights with a float32 tower take) give here what they give there; they were not at hand.
 * @param pixels [I, C, S, S]; none: text only
 */
export function llavaMiniForward(
  p: Parameters,
  config: LlavaMiniConfig,
  tokens: MiniTokenValues,
  pixels?: Value,
  tap?: LlavaTap,
): LlavaMiniOutput {
  const { embedded, images } = embedConversation(p, config, tokens, pixels && towerFeatures(p, config, pixels));
  const run = languageModel(p, config, embedded, tokens, { tap });
  const logits = languageHead(p, config, run.hidden.at(-1)!);
  return { ...run, logits, imageFeatures: images?.vision, compressed: images?.tokens, compression: images?.attention };
}
