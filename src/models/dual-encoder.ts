/**
 * @file What attribution methods see of an image–text model: two towers, each a stack of blocks over tokens, whose pooled outputs are
 * compared by cosine. Layers, grid, prefix tokens and pooling come from the model, never from the user.
 */

import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { Dim, Value } from '../graph/index.ts';
import type { ImageProcessor } from '../inputs/image/processor.ts';
import type { Tokenizer } from '../inputs/text/tokenizer.ts';
import type { BlockTrace, SuffixOptions } from '../nn/encoder.ts';
import type { Parameters } from '../nn/parameters.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ModelFiles } from '../system/model-files.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** Which side of a pair. */
export type Modality = 'image' | 'text';

/** Inputs of one tower, as the graph wants them: named tensors whose first axis is the batch. */
export type TowerInputs = Readonly<Record<string, Tensor>>;

/** Features of a tower with every block's inside. Gradients may be taken with regard to any of the values. */
export interface TowerTrace {
  /** Blocks `from + 1` to the last. */
  readonly blocks: readonly BlockTrace[];
  /** [B, E], not normalised. */
  readonly features: Value;
  /** Where a pooling head attends over the tokens (SigLIP): its probabilities, [B, H, 1, N]. */
  readonly poolAttention?: Value;
  /** What such a head reads: the last block's output behind the last norm, [B, N, D]. */
  readonly poolInput?: Value;
}

/** One tower as graph-building functions over the model's frozen parameters. */
export interface Tower {
  readonly modality: Modality;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Width of a feature, E. */
  readonly features: number;
  /** Tokens before the first patch (CLS); 0 for text. */
  readonly prefixTokens: number;
  /** Whether one token is read at the end (CLS, end of text), or a head that attends over all (SigLIP's image tower). */
  readonly pooling: 'token' | 'attention';
  /** Token that is pooled, per row of the inputs; none where a head attends. */
  pooledTokens?(inputs: TowerInputs): readonly number[];
  /** Patch grid for image towers at the given input size [rows, columns]; undefined for text. */
  grid?(height: number, width: number): readonly [number, number];
  /**
   * What input gradients are taken with regard to, from the declared graph inputs: pixel values [B, 3, H, W], or token embeddings [B, T, D]
   * before positions are added.
   */
  source(inputs: TowerInputs): Value;
  /** From such a source to the input of the first block (layer -1), [B, N, D]. */
  embed(source: Value, inputs: TowerInputs): Value;
  /**
   * From the tower's inputs to the output of block `layer` (0-based; -1 is the embedding), [B, N, D]. Declares its own graph inputs.
   * The same call also gives the features, so that one run serves both.
   */
  prefix(layer: number, inputs: TowerInputs): { hidden: Value; features: Value };
  /**
   * From a replaced output of block `layer` [B·S, N, D] to features [B·S, E], with the last block for the pooled token only.
   * Per-sample side inputs (masks, pool positions) are declared as graph inputs of B rows and repeated `repeat` times.
   */
  suffix(layer: number, hidden: Value, repeat: Dim, inputs: TowerInputs, options?: SuffixOptions): Value;
  /** Like `suffix`, over all tokens and with every block's inside. */
  trace(layer: number, hidden: Value, repeat: Dim, inputs: TowerInputs, options?: SuffixOptions): TowerTrace;
  /**
   * The tower's end (last norm, pooling, projection) put on any block's output [B, N, D]: features [B, E], and the pooling head's
   * attention [B, H, 1, N] where there is one.
   */
  pool(hidden: Value, repeat: Dim, inputs: TowerInputs): { features: Value; attention?: Value };
  /** The tower's end for tokens one by one, [B, M, D] -> [B, M, E]; undefined where a head pools. */
  project?(tokens: Value): Value;
  /** The side inputs that `suffix`, `trace` and `pool` declare, out of the tower's inputs. */
  suffixFeeds(inputs: TowerInputs): TowerInputs;
}

/** A loaded image–text model. */
export interface DualEncoder extends AsyncDisposable {
  readonly name: string;
  readonly runtime: Runtime;
  readonly parameters: Parameters;
  /** The checkpoint's files: statistics and whatever else stands next to the weights. */
  readonly files: ModelFiles;
  readonly checkpoint: Checkpoint;
  readonly processor: ImageProcessor;
  /** Whether compiled graphs outlive their use (see `LoadOptions`); true where it is not said. */
  readonly keepSessions?: boolean;
  /** What was assumed or ignored while loading, in sentences; every result repeats them. */
  readonly warnings?: readonly string[];
  readonly image: Tower;
  readonly text: Tower;
  /** Factor from cosine to logit (exp of `logit_scale`). */
  logitScale(): Promise<number>;
  /** @throws NarrowsError where the checkpoint has no usable tokenizer */
  requireTokenizer(): Tokenizer;
  /** Longest text, special tokens included. */
  readonly maxTextLength: number;
  /** Number of token ids that the text tower knows. */
  readonly vocabularySize: number;
  /** The id that the config pads texts with; the tokenizer's own comes first. */
  readonly padTokenId: number | null;
  /** Pixel values [B, 3, H, W] as tower inputs. */
  imageInputs(pixelValues: FloatTensor): TowerInputs;
  /** Token ids [B, T] and mask [B, T] as tower inputs; a model that wants a fixed length pads here. */
  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs;
  /** Makes ready for pixel inputs of another size than the config's. */
  prepareImageSize(height: number, width: number): Promise<void>;
  /** One run of a tower: the output of block `layer` [B, N, D] and the features [B, E]. */
  runTower(tower: Tower, inputs: TowerInputs, layer: number): Promise<{ hidden: FloatTensor; features: FloatTensor }>;
  /** [B, 3, H, W] -> [B, E], not normalised. */
  imageFeatures(pixelValues: FloatTensor): Promise<FloatTensor>;
  /** Ids [B, T] -> [B, E], not normalised. */
  textFeatures(inputIds: Tensor, attentionMask?: Tensor): Promise<FloatTensor>;
  /** SHA-256 of the weights. */
  sha256(): Promise<string>;
  release(): Promise<void>;
}
