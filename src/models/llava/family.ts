/** @file What differs between families of models whose decoder reads pictures' features among words. LLaVA's own is the default. */
import type { Dim, Value } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { AnswerPicture } from '../answer-model.ts';
import type { LlavaConfig } from './config.ts';
import type { Pictured, PictureLayout, PictureReader } from './pictures.ts';

/** Beginnings of tensors' names: as files have them, and in memory (LLaVA's: `model.vision_tower`, `model.multi_modal_projector`, …). */
export type NamePairs = readonly (readonly [stored: string, inMemory: string])[];

/** How a family's tensors are named: in files of transformers < 4.52 or so (`old`), and in files that hold its module names (`new`). */
export interface Naming {
  readonly old: NamePairs;
  readonly new: NamePairs;
}

/** How a picture's pixels and tokens lie on the grid of a map; see `AnswerPicture`. */
export type PictureCells = Pick<AnswerPicture, 'grid' | 'view' | 'pixelCells' | 'tokenCells'>;

/** Pictures of as many rows each, whose attention is computed picture by picture. */
export interface PictureCuts {
  /** Rows (patches) of a picture. */
  readonly each: number;
  /** A picture's queries look at it in so many parts, one after the other. */
  readonly parts: number;
}

/** One family. Its files are a folder of src/models. */
export interface PictureFamily {
  /** As people call it. */
  readonly title: string;
  readonly naming: Naming;
  /** The modules as PEFT names them: what `all-linear` stands for, the one trained whole besides, what targets by name must not reach. */
  readonly peft: { readonly linear: string; readonly projector: string; readonly outside: string };
  /** The class of image rules of a checkpoint that names none. */
  readonly processorType: string;
  /** Whether the tower sees tiles by themselves, so that they can go through it in any number at once; else picture by picture. */
  readonly tiled: boolean;
  /** What stands in front of a picture and behind it, where the chat template writes it and not the picture's text. */
  readonly around?: readonly [string, string];
  /** What the family can do and is not built here, in sentences for a person. */
  readonly lacks: readonly string[];
  /** Rows of what the tower gives, by name, where they are no tiles. */
  towerRows?(config: LlavaConfig): Dim;
  /** Rows and columns of a picture's tokens, where positions go by them (M-RoPE). */
  tokenGrid?(config: LlavaConfig, layout: PictureLayout): readonly [number, number];
  /** The graph input of the pictures. @param rows how many, where that is known already */
  pixelInput(config: LlavaConfig, rows?: Dim): Value;
  /**
   * Pixels -> what the projector reads. Further inputs that it declares are fed by `feeds`.
   * @param cuts for a family that is not tiled, where all pictures have as many rows
   */
  towerFeatures(p: Parameters, config: LlavaConfig, pixels: Value, cuts?: PictureCuts): Value;
  /** -> [F, 1, width of the decoder]: one row per image token, in reading order. */
  projectFeatures(p: Parameters, config: LlavaConfig, features: Value): Value;
  /** Feeds of the pictures' graph besides `pixel_values`. */
  feeds?(config: LlavaConfig, layouts: readonly PictureLayout[]): Record<string, Tensor>;
  /** A picture's layout from what transformers' processor says of it: `image_sizes` [height, width] or `image_grid_thw` [1, rows, columns]. @param several as in `PictureReader` */
  layoutFrom?(config: LlavaConfig, described: readonly number[], several?: boolean): PictureLayout;
  /** Rows of features that pixel values without layouts give. @throws NarrowsError where only layouts can tell */
  rows(config: LlavaConfig, pixels: Pictured): number;
  /** Image tokens of an ordinary picture: to group samples by length, and to say how long prompts are. */
  typicalTokens(config: LlavaConfig): number;
  /** @param rules image rules, parsed; @param file where they stand. @throws NarrowsError for rules that are not known or do not fit */
  reader(config: LlavaConfig, rules: Readonly<Record<string, unknown>>, file: string, onWarning: (message: string) => void): PictureReader;
  /** What becomes of a picture, in words, for `narrows models info`. */
  describe(config: LlavaConfig): string;
  /** @param shape of the picture's pixel values */
  cells(config: LlavaConfig, layout: PictureLayout, shape: readonly number[]): PictureCells;
}
