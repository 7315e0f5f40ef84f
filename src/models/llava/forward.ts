/** @file LLaVA as a traced graph: vision tower, projector, image features placed among the words, decoder, head, loss. */
import {
  crossEntropy,
  embedding,
  equal,
  gather,
  linear,
  mulDims,
  reshape,
  scope,
  slice,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.ts';
import { type DecoderOutputs, decode, type PastTokens } from '../../nn/decoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { LlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import type { PictureCuts } from './family.ts';
import { MODALITY } from './placement.ts';
import { decoderConfig } from './text-config.ts';
import { llavaProjector, llavaTower } from './tower.ts';

/**
 * Pixels -> what the projector reads: LLaVA's [I, C, S, S] -> [I, N, width of the tower × layers]; another family's tower reads and gives
 * what its own file says (`PictureFamily`).
 */
export const towerFeatures = (p: Parameters, config: LlavaConfig, pixels: Value, cuts?: PictureCuts): Value =>
  familyOf(config)?.towerFeatures(p, config, pixels, cuts) ?? llavaTower(p, config, pixels);

/** What the tower gave -> [I, N, width of the decoder]; I·N image tokens in reading order (another family: [F, 1, width]). */
export const projectFeatures = (p: Parameters, config: LlavaConfig, features: Value): Value =>
  (familyOf(config)?.projectFeatures ?? llavaProjector)(p, config, features);

/** Pixels [I, C, S, S] -> image features [I, N, width of the decoder]. */
export const imageFeatures = (p: Parameters, config: LlavaConfig, pixels: Value, cuts?: PictureCuts): Value =>
  projectFeatures(p, config, towerFeatures(p, config, pixels, cuts));

/** The tokens of a batch as graph values; see placement.ts for their meaning. */
export interface TokenValues {
  /** int32 [B, T]; image tokens and padding may hold any id of the vocabulary */
  readonly ids: Value;
  /** int32 [B, T]: MODALITY */
  readonly modality: Value;
  /** int32 [B, T]: at image tokens, the row of the image features */
  readonly imageRows: Value;
  /** int32 [B, T] */
  readonly positions: Value;
  /** int32 [B, T, 2]: row and column, of a family whose positions go by them (see mrope.ts) */
  readonly spatial?: Value;
  /** int32 [B, T], 1 = token, 0 = padding */
  readonly attentionMask: Value;
  /** int32 [B, T]: isolated turns, see `DecoderInputs`; positions then restart behind the prefix. None: one conversation a row. */
  readonly turns?: Value;
}

/**
 * Called with the output of decoder block `layer` [B, T, width], and as layer −1 with the embeddings, where image features stand among the
 * words; what it returns goes on. This is where a bottleneck stands.
 */
export type LlavaTap = (layer: number, hidden: Value, tokens: TokenValues) => Value;

/** Words embedded, and image features where the modality says so. @param features [rows, width]; none: text only */
export function placeFeatures(p: Parameters, config: LlavaConfig, tokens: TokenValues, features?: Value): Value {
  const { vocab_size: vocabulary, hidden_size: width } = config.text_config;
  return scope('model.language_model.embed_tokens', () => {
    const words = embedding(p.get('model.language_model.embed_tokens.weight', [vocabulary, width]), tokens.ids);
    if (!features) return words;
    return where(unsqueeze(equal(tokens.modality, MODALITY.image), -1), gather(features, tokens.imageRows), words);
  });
}

/** How the decoder is run. */
export interface LanguageOptions {
  readonly tap?: LlavaTap;
  readonly past?: readonly PastTokens[];
  readonly recompute?: boolean;
  /** The first block that runs; beyond 0 the input is the output of the block before it, behind its tap. */
  readonly from?: number;
  /** See `DecoderInputs`; not with a tap. */
  readonly read?: Value;
  /** See `DecoderInputs`; not with a tap of the last block. */
  readonly rows?: Value;
}

/** Embeddings [B, T, width] through the decoder. */
export function languageModel(
  p: Parameters,
  config: LlavaConfig,
  embedded: Value,
  tokens: TokenValues,
  options: LanguageOptions = {},
): DecoderOutputs {
  const { tap, past, recompute, from, read, rows } = options;
  return scope('model.language_model', () =>
    decode(p.in('model.language_model'), decoderConfig(config), tap && !from ? tap(-1, embedded, tokens) : embedded, {
      positions: tokens.positions,
      spatial: tokens.spatial,
      attentionMask: tokens.attentionMask,
      turns: tokens.turns,
      past,
      recompute,
      from,
      read,
      rows,
      tap: tap && ((layer, hidden) => tap(layer, hidden, tokens)),
    }),
  );
}

/** Normalised hidden states [B, T, width] -> logits [B, T, vocabulary]. */
export function languageHead(p: Parameters, config: LlavaConfig, hidden: Value): Value {
  const { vocab_size: vocabulary, hidden_size: width, tie_word_embeddings: tied } = config.text_config;
  return scope('lm_head', () =>
    linear(hidden, p.get(tied ? 'model.language_model.embed_tokens.weight' : 'lm_head.weight', [vocabulary, width])),
  );
}

/** What the whole forward pass gives. */
export interface LlavaOutput extends DecoderOutputs {
  readonly logits: Value;
  /** [I, N, width], where there were pixels */
  readonly imageFeatures?: Value;
}

/** How a forward pass that is trained through is built. */
export interface ForwardOptions {
  /** The decoder's blocks are computed again in the backward pass instead of being kept (`recompute` of the graph). */
  readonly recompute?: boolean;
  /** Places whose logits are wanted, see `DecoderInputs`: logits are then [R, vocabulary]. */
  readonly rows?: Value;
}

/** The whole model. @param pixels [I, C, S, S]; none: text only */
export function llavaForward(
  p: Parameters,
  config: LlavaConfig,
  tokens: TokenValues,
  pixels?: Value,
  tap?: LlavaTap,
  options?: ForwardOptions,
): LlavaOutput {
  return forwardFeatures(p, config, tokens, pixels && towerFeatures(p, config, pixels), tap, options);
}

/** The model from the tower's features on. @param tower [I, N, ...] of `towerFeatures`; none: text only */
export function forwardFeatures(
  p: Parameters,
  config: LlavaConfig,
  tokens: TokenValues,
  tower?: Value,
  tap?: LlavaTap,
  options: ForwardOptions = {},
): LlavaOutput {
  const features = tower && projectFeatures(p, config, tower);
  const rows = features && reshape(features, [mulDims(features.shape.slice(0, 2)), features.shape[2]]);
  const run = languageModel(p, config, placeFeatures(p, config, tokens, rows), tokens, { tap, ...options });
  return { ...run, logits: languageHead(p, config, run.hidden.at(-1)!), imageFeatures: features };
}

/**
 * Mean cross-entropy in nats of the next token over all labels that are not −100 (ForCausalLMLoss of transformers).
 * @param logits [B, T, vocabulary]
 * @param labels int32 [B, T], not shifted
 */
export const nextTokenLoss = (logits: Value, labels: Value): Value => crossEntropy(slice(logits, 1, 0, -1), slice(labels, 1, 1));
