/** @file Pictures as a family's graph takes them, and how each stands in a text: what differs from LLaVA's one square and N tokens a picture. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, joinFloats } from '../../tensor/tensor.ts';

/** Width and height in pixels. */
export type Size = Pick<RgbImage, 'width' | 'height'>;

/** How one picture stands in pixel values and in a text. Plain data. */
export interface PictureLayout {
  /** The picture's own size in pixels. */
  readonly size: Size;
  /** Leading rows of `pixel_values` that are its own: tiles, or patches. */
  readonly pixels: number;
  /** What stands in a text for its `<image>`; each `<image>` in here is a run of image tokens. */
  readonly text: string;
  /** Image tokens of each run. */
  readonly runs: readonly number[];
  /** Rows and columns of its tiles (0 × 0: one tile by itself), or of its patches. */
  readonly grid: readonly [rows: number, columns: number];
  /** Of several pictures of one conversation, which a family may take otherwise. */
  readonly several?: boolean;
}

/** Pixel values or image features with the layouts of the pictures that they are of, in order. LLaVA's have none: a row is a picture. */
export interface Pictured extends FloatTensor {
  readonly layouts?: readonly PictureLayout[];
}

/** Image tokens of a picture. */
export const tokensOf = ({ runs }: Pick<PictureLayout, 'runs'>): number => runs.reduce((sum, run) => sum + run, 0);

/** Tensors of pictures side by side along the first axis, with all their layouts. */
export function joinPictured(parts: readonly Pictured[]): Pictured {
  const layouts = parts.flatMap(part => part.layouts ?? []);
  return { ...joinFloats(parts), ...(layouts.length ? { layouts } : {}) };
}

/** For pixel values of a family that do not say by themselves which pictures they are of. */
export const noLayouts = (): NarrowsError =>
  new NarrowsError(
    "The pixel values do not say which pictures they are of; let the model's own processor prepare them (chat.pixels), and keep their layouts.",
  );

/** What reads pictures for a family. */
export interface PictureReader {
  /** The pictures of one conversation, as its graph takes them. @throws NarrowsError for a picture that it cannot take */
  process(images: readonly RgbImage[], several?: boolean): Pictured;
  /** Their layouts alone, by their sizes. */
  layouts(sizes: readonly Size[], several?: boolean): PictureLayout[];
}
