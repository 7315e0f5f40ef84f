/**
 * @file What attribution methods see of an image–text model: two towers, each a stack of blocks over tokens, whose pooled outputs are
 * compared by cosine. Layers, grid, prefix tokens and pooling come from the model, never from the user. CLIP implements it; SigLIP will.
 */
import type { Value } from '../graph/index.ts';
import type { Parameters } from '../nn/parameters.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** Which side of a pair. */
export type Modality = 'image' | 'text';

/** Inputs of one tower, as the graph wants them: named tensors whose first axis is the batch. */
export type TowerInputs = Readonly<Record<string, Tensor>>;

/** One tower as graph-building functions over the model's frozen parameters. */
export interface Tower {
  readonly modality: Modality;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Tokens before the first patch (CLS); 0 for text. */
  readonly prefixTokens: number;
  /** Patch grid for image towers at the given input size [rows, columns]; undefined for text. */
  grid?(height: number, width: number): readonly [number, number];
  /**
   * From the tower's inputs to the output of block `layer` (0-based; -1 is the embedding), [B, N, D]. Declares its own graph inputs.
   * The same call also gives the features, so that one run serves both.
   */
  prefix(layer: number, inputs: TowerInputs): { hidden: Value; features: Value };
  /**
   * From a replaced output of block `layer` [B·S, N, D] to features [B·S, E], with the last block for the pooled token alone.
   * Per-sample side inputs (masks, pool positions) are declared as graph inputs of B rows and repeated `repeat` times.
   */
  suffix(layer: number, hidden: Value, repeat: number, inputs: TowerInputs): Value;
  /** The side inputs that `suffix` declares, out of the tower's inputs. */
  suffixFeeds(inputs: TowerInputs): TowerInputs;
}

/** A loaded image–text model. */
export interface DualEncoder {
  readonly name: string;
  readonly runtime: Runtime;
  readonly parameters: Parameters;
  readonly image: Tower;
  readonly text: Tower;
  /** Pixel values [B, 3, H, W] as tower inputs. */
  imageInputs(pixelValues: FloatTensor): TowerInputs;
  /** Token ids [B, T] and mask [B, T] as tower inputs. */
  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs;
  /** SHA-256 of the weights. */
  sha256(): Promise<string>;
}
