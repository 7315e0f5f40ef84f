/**
 * @file What attribution of answers asks of a model that reads pictures and words in one row of tokens and writes: how a row is placed, its
 * embeddings, the decoder's blocks from any of them on, the head. A family of models that gives this is served by every method for answers.
 */
import type { Dim, Value } from '../graph/index.ts';
import type { Rectangle, RgbImage } from '../inputs/image/rgb-image.ts';
import type { BlockTrace } from '../nn/encoder.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { TowerInputs } from './dual-encoder.ts';
import type { PictureLayout } from './llava/pictures.ts';

/** A picture as the model reads it. */
export interface AnswerPicture {
  /** Whatever a picture becomes (one view, or tiles): the first axis counts its images. Normalised, so that 0 is the mean colour. */
  readonly pixels: FloatTensor;
  /** Rows and columns of cells that a map has. */
  readonly grid: readonly [number, number];
  /** The part of the picture that the grid covers, in the picture's pixels. */
  readonly view: Rectangle;
  /** For each element of `pixels`, the cell of the grid that it shows (row by row), or −1: what is erased with a cell. */
  readonly pixelCells: Int32Array;
  /** For each token that stands for the picture in a row, the cells that it shows, mostly one; none for tokens between tiles. */
  readonly tokenCells: readonly (readonly number[])[];
  /** The same for the tokens of the vision tower's output, where a gate can stand there (`AnswerModel.vision`). */
  readonly towerCells?: readonly (readonly number[])[];
  /** Of a family whose pictures differ in text and tokens: how this one stands in them (`ChatModel.encoded` asks for it). */
  readonly layouts?: readonly PictureLayout[];
}

/** One row of tokens, as often as was asked for. */
export interface AnswerRow {
  /** What `declare` declared but for the pixels; the first axis of each is the copies. */
  readonly feeds: TowerInputs;
  /** What the graph of the pixels is fed besides them, for as many pictures as there are copies. */
  readonly pictureFeeds?: TowerInputs;
  /** Places of the picture's tokens in the row, as many as `tokenCells`. */
  readonly imageTokens: readonly number[];
}

/** A row's graph inputs. `Tokens` is the model's own. */
export interface DeclaredRow<Tokens> {
  readonly tokens: Tokens;
  /** `pixel_values` of `copies` pictures side by side, [copies · images, …]. */
  readonly pixels: Value;
}

/** How the decoder is run. */
export interface RowDecoding {
  /** The block whose output comes in; −1: the embeddings. */
  readonly layer: number;
  /** Replaces the output of a block above it. */
  readonly tap?: (layer: number, hidden: Value) => Value;
  /** Only these rows are read behind the last block, [B·repeat, K, T] with a single 1 per row: `normed` is [B·repeat, K, width]. Not with a tap. */
  readonly read?: Value;
}

/** What the decoder gives. */
export interface DecodedRow {
  /** The output of each block above `layer`, as it goes on (behind a model's own bottleneck), without the last norm: [B, T, width]. */
  readonly outputs: readonly Value[];
  /** The last of them (what came in, where there is none) behind the last norm. */
  readonly normed: Value;
  /** Inside of the blocks above `layer`. */
  readonly blocks: readonly BlockTrace[];
}

/** The vision tower in front of the row, of models in which each of its tokens shows a patch. */
export interface AnswerVision<Tokens = unknown> {
  /** Width of the tower's output. */
  readonly width: number;
  /** Pictures [I, C, S, S] -> the tower's output [I, N, width]. */
  tower(pixels: Value): Value;
  /** From there to what the model's `embed` takes. */
  features(tower: Value): Value;
  /**
   * The row's embeddings [B·repeat, T, width of the decoder] from the tower's output [B·repeat, N, width], a picture of its own for each row.
   * @param tokens of B rows of one picture each
   */
  embed(tokens: Tokens, tower: Value, repeat: Dim): Value;
}

/** A model whose answers can be explained. */
export interface AnswerModel<Tokens = unknown> {
  readonly runtime: Runtime;
  /** Blocks of the decoder, width of its hidden state, query heads. */
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** @param picture as the chat model's `picture` gives it */
  readPicture(picture: RgbImage): AnswerPicture;
  /** Bytes that the tower takes for such a picture at once, where a picture may make any number of tiles or patches. */
  pictureBytes?(picture: AnswerPicture): number;
  /**
   * Places a row with one picture, `copies` times side by side (each with a picture of its own).
   * @param ids of one row, the picture's tokens repeated as the model wants them
   * @param turns per token: 0 = the question, k ≥ 1 = answer k, which sees the question and itself; positions of every answer begin behind the
   *   question
   * @throws NarrowsError where pictures and tokens do not fit
   */
  placeRow(ids: readonly number[], turns: readonly number[], picture: AnswerPicture, copies?: number): AnswerRow;
  /** The graph inputs of such rows: named as in `feeds`, [batch, seq] where there is one value per token. */
  declare(picture: AnswerPicture): DeclaredRow<Tokens>;
  /** Pictures through tower and projector, as `embed` takes them. @param pixels of `declare(picture)` */
  features(pixels: Value, picture: AnswerPicture): Value;
  /** Words embedded and the picture's features among them, behind a bottleneck that stands there: [B, T, width]. */
  embed(tokens: Tokens, features: Value): Value;
  /** @param repeat each row of the tokens stands for so many rows of `hidden`, side by side */
  decode(hidden: Value, tokens: Tokens, options: RowDecoding, repeat?: Dim): DecodedRow;
  /** What stands in front of the projector, where a gate can stand there too. */
  readonly vision?: AnswerVision<Tokens>;
  /** [B, K, width] behind the last norm -> [B, K, vocabulary] */
  logits(normed: Value): Value;
}
