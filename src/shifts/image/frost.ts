/** @file frost: ice on the lens. */
import { resizeImage } from '../../inputs/image/resize.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type ImageShift, type ImageShiftOptions, lengthScale } from '../shift.ts';
import { frostTexture } from './primitives/frost-texture.ts';

/** Shares of the picture and of the ice. */
const FROSTS = [
  [1, 0.4],
  [0.8, 0.6],
  [0.7, 0.7],
  [0.65, 0.7],
  [0.6, 0.75],
] as const;

/** A part of a photograph of frost as imagecorruptions takes it: enlarged to cover the picture and by a tenth more, then cut out at random. */
function published({ width, height }: RgbImage, textures: readonly RgbImage[], reader: RandomReader): RgbImage {
  const texture = reader.pick(textures);
  const factor = Math.max(1, width / texture.width, height / texture.height) * 1.1;
  const size = { width: Math.ceil(texture.width * factor), height: Math.ceil(texture.height * factor) };
  const top = reader.integer(Math.max(1, size.height - height));
  const left = reader.integer(Math.max(1, size.width - width));
  return resizeImage(texture, size.width, size.height, 'bicubic', { left, top, width, height });
}

/** As MM_Robustness takes it: the upper left corner as it is, red and blue exchanged. @throws NarrowsError where it does not cover the picture */
function cornerOf({ width, height }: RgbImage, textures: readonly RgbImage[], reader: RandomReader): RgbImage {
  const texture = reader.pick(textures);
  if (texture.width < width || texture.height < height)
    throw new NarrowsError(
      `A frost texture of ${texture.width} x ${texture.height} does not cover a picture of ${width} x ${height}, which MM_Robustness needs; leave its compatibility away.`,
    );
  return resizeImage(texture, texture.width, texture.height, 'nearest', { left: 0, top: 0, width, height });
}

/** The ice that is laid over a picture, 0 to 255. */
function iceFor(image: RgbImage, reader: RandomReader, options: ImageShiftOptions): ArrayLike<number> {
  const { frostTextures, compat } = options;
  if (!frostTextures) return frostTexture(image.width, image.height, lengthScale(image, options), reader).data.map(v => v * 255);
  if (frostTextures.length === 0) throw new NarrowsError('frost was given an empty list of textures; give at least one picture of frost.');
  return (compat === 'mm-robustness' ? cornerOf : published)(image, frostTextures, reader).data;
}

/** share of the picture + share of the ice, added without a mean: the picture whitens. */
export const frost: ImageShift = {
  name: 'frost',
  modality: 'image',
  severities: 5,
  summary: 'Lays frost over the picture; its texture is drawn by Narrows, unless the published photographs are given.',
  constants: `picture x ${FROSTS.map(f => f[0]).join(', ')} + texture x ${FROSTS.map(f => f[1]).join(', ')}`,
  scaled: "the crystals of Narrows' texture",
  source:
    "Hendrycks and Dietterich, ICLR 2019 (ImageNet-C), with a texture of our own procedure instead of its photographs (their licence is not known); with --frost-textures imagecorruptions' (Michaelis et al., 2019) use of these",
  random: true,
  remark: ({ frostTextures }) =>
    frostTextures
      ? undefined
      : "frost's texture is drawn by Narrows and is not one of the published photographs, so its numbers are not ImageNet-C's; give the photographs' folder (--frost-textures) for these.",
  apply(image, severity, reader, options = {}) {
    const [share, ice] = atSeverity('frost', severity, FROSTS);
    const texture = iceFor(image, reader, options);
    // MM_Robustness holds the picture as BGR and turns the texture to RGB.
    const swap = options.compat === 'mm-robustness';
    const { width, height } = image;
    const data = image.data.map((v, i) => Math.min(255, share * v + ice * texture[swap ? i + 2 - 2 * (i % 3) : i]));
    return { width, height, data };
  },
};
