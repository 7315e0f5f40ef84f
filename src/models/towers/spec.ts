/**
 * @file What two towers are made of, whatever layout they are stored in: one vocabulary for OpenCLIP's, timm's, BERT's and transformers' own
 * image–text models. A family reads its own keys (zod) and says them in these; `towers/` computes any of them.
 */
import type { EncoderConfig } from '../../nn/encoder.ts';
import type { ModelConfig } from '../model-config.ts';

/** One step of a tower's head: a linear layer, then an activation (a key of `ACTIVATIONS`, or tanh) where there is one. */
export interface HeadStep {
  /** The layer's name in memory, below the model. */
  readonly name: string;
  readonly out: number;
  readonly bias: boolean;
  readonly activation?: string;
}

/** An image tower: a vision transformer over square patches. */
export interface VisionSpec extends EncoderConfig {
  readonly num_channels: number;
  readonly image_size: number;
  readonly patch_size: number;
  /** Whether a class token stands before the patches. */
  readonly class_token: boolean;
  /** Whether the patch embedding has a bias. */
  readonly patch_bias: boolean;
  /** The patch embedding's weight: a convolution's [D, C, p, p], or a linear layer's [D, p·p·C] over patches with channels last (NaFlex). */
  readonly patch_layout?: 'convolution' | 'channels_last';
  /** How position embeddings are brought to another grid: transformers' bicubic (default), or NaFlex's bilinear with antialiasing. */
  readonly position_resize?: 'bicubic' | 'bilinear_antialias';
  /** A norm in front of the first block (`pre_layrnorm`). */
  readonly pre_norm: boolean;
  /** What is read: the class token; the mean of the patches; or what a learnt probe attends to (timm's `map`, SigLIP's head). */
  readonly pooling: 'token' | 'mean' | 'attention';
  /** Where the last norm stands: over all tokens, over the pooled one, or nowhere. */
  readonly final_norm: 'tokens' | 'pooled' | 'none';
  readonly head: readonly HeadStep[];
}

/** A text tower: a transformer over token ids. */
export interface TextSpec extends EncoderConfig {
  readonly vocab_size: number;
  /** Longest text, special tokens included. */
  readonly max_position_embeddings: number;
  /** Rows of the position table that stand before the first token's (RoBERTa: 2). */
  readonly position_offset: number;
  /** Rows of the position table. */
  readonly position_rows: number;
  /** BERT's: row 0 of `token_type_embeddings` is added, and a norm follows. Gives the rows of that table; 0 for none. */
  readonly type_rows: number;
  readonly embedding_norm: boolean;
  readonly causal: boolean;
  /** Whether texts are filled up to the longest length with padding that is seen like any token (SigLIP, CLIPA); otherwise padding is hidden. */
  readonly filled: boolean;
  /** Which token is read: the first with the id `eos_token_id`, the one with the largest id, the first one, the last one. */
  readonly pooling: 'eos' | 'argmax' | 'first' | 'last';
  readonly eos_token_id: number | null;
  readonly pad_token_id: number | null;
  /** An id that is put in place of another before the model sees it (open_clip's `strip_sep_token`). */
  readonly replaced_id?: { readonly from: number; readonly to: number };
  readonly final_norm: boolean;
  readonly head: readonly HeadStep[];
}

/** Two towers and how their features are compared. */
export interface TowersConfig extends ModelConfig {
  readonly vision_config: VisionSpec;
  readonly text_config: TextSpec;
  /** Width of the shared space. */
  readonly projection_dim: number;
  /** Whether a bias is added to logits (SigLIP's loss). */
  readonly logit_bias: boolean;
}

/** Width of a tower's features: of its head's last step, or the tower's own. */
export const featureWidth = (spec: VisionSpec | TextSpec): number => spec.head.at(-1)?.out ?? spec.hidden_size;
