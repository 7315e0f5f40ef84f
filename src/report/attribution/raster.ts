/** @file PNG from the same SVG, and the heat on the image only. Text is drawn as outlines, so no font is needed. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { sharp } from '../../node/sharp.ts';
import { NarrowsError } from '../../system/errors.ts';
import { figureSvg } from './bound.ts';
import { type FigureOptions, figureStyle } from './figure-options.ts';
import { composite, greyed, overlayLayer, viewBox } from './overlay.ts';
import { contours, greyBase, gridLines } from './panel.ts';
import { checkPicture } from './picture.ts';
import { PNG, sharpCodec } from './sharp-codec.ts';
import { element, toSvg } from './svg.ts';

let fontsFound: Promise<boolean> | undefined;

/** True when the system has any font that draws text (a bare container has none). Asked once. */
export function systemDrawsText(): Promise<boolean> {
  const draw = (letter: string) => {
    const text = `<text x="4" y="30" font-size="30">${letter}</text>`;
    return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">${text}</svg>`))
      .raw()
      .toBuffer();
  };
  // Without fonts every letter is the same empty box, or nothing.
  fontsFound ??= Promise.all([draw('M'), draw('i')]).then(
    ([wide, narrow]) => !wide.equals(narrow),
    () => false,
  );
  return fontsFound;
}

/**
 * The figure as PNG bytes, `width * density` pixels wide.
 * @param density device pixels per CSS pixel, 1–4; default 2, for screens and slides.
 * @throws NarrowsError as `figureSvg`, and for a density out of range.
 * @example
 * await using model = await loadModel('scene-clip');
 * await using method = createMethod('grad-cam', model);
 * const image = await decodeImage('examples/scene.png');
 * const png = await figurePng(await method.attribute({ image, text: 'a cat' }), image); // bytes of a file
 * console.log(png.length);
 */
export async function figurePng(
  result: Attribution,
  image: RgbImage,
  options: FigureOptions & { readonly density?: number } = {},
): Promise<Uint8Array> {
  const density = options.density ?? 2;
  if (!(density >= 1 && density <= 4)) throw new NarrowsError(`Pixel density lies between 1 and 4, not ${density}.`, { kind: 'usage' });
  const svg = await figureSvg(result, image, options, density, { text: 'outlines', boxes: !(await systemDrawsText()) });
  return sharp(Buffer.from(svg), { density: 72 * density, unlimited: true, limitInputPixels: false })
    .removeAlpha()
    .png(PNG)
    .toBuffer();
}

/** The image with its heat, at the original's resolution, nothing else: PNG bytes. @throws NarrowsError without an image map. */
export async function overlayPng(result: Attribution, image: RgbImage, options: FigureOptions = {}): Promise<Uint8Array> {
  checkPicture(image);
  if (!result.image) throw new NarrowsError('The result holds no map of the image; attribute with modality image or both.');
  const style = figureStyle(result, options, image);
  if (!style.imageScale) throw new NarrowsError('The result holds no map of the image; attribute with modality image or both.');
  const { width, height } = image;
  const layer = overlayLayer(result.image, image, width, height, { ...style, map: style.imageMap, scale: style.imageScale });
  const flat = composite(greyBase(style) ? greyed(image) : image, layer);
  const png = await sharpCodec.encode(flat, 'png');
  if (style.method !== 'contour' && !style.grid) return png;
  const view = viewBox(result.image, image, width, height);
  const lines = [
    ...(style.method === 'contour' ? contours(result.image, view, style) : []),
    ...(style.grid ? [gridLines(result.image, view)] : []),
  ];
  const svg = toSvg(element('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height }, ...lines), { text: 'outlines' });
  return sharp(png)
    .composite([{ input: Buffer.from(svg) }])
    .removeAlpha()
    .png(PNG)
    .toBuffer();
}
