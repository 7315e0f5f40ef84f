/** @file Pictures widened to a square, as LLaVA-1.5 does before its processor (`image_aspect_ratio: pad`). No Node imports. */
import type { RgbImage } from './rgb-image.ts';

/** The colour that LLaVA pads with: the processor's mean in whole bytes, cut down (expand2square in LLaVA's mm_utils). */
export const meanColour = (imageMean: readonly number[]): number[] => imageMean.map(mean => Math.trunc(mean * 255));

/** The picture in the middle of a square of its longer edge; an odd pixel goes behind. A square picture is returned as it is. */
export function expandToSquare(image: RgbImage, colour: readonly number[]): RgbImage {
  const { width, height } = image;
  if (width === height) return image;
  const edge = Math.max(width, height);
  const data = new Uint8Array(edge * edge * 3);
  for (let i = 0; i < data.length; i += 3) data.set(colour, i);
  const left = Math.floor((edge - width) / 2);
  const top = Math.floor((edge - height) / 2);
  for (let y = 0; y < height; y++) data.set(image.data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * edge + left) * 3);
  return { width: edge, height: edge, data };
}
