/** @file Figures and pages in a page: the functions of report/attribution with the page's picture codec, and PNG drawn from the same SVG. */
import type { Attribution } from '../attribution/result.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { figureSvgWith } from '../report/attribution/figure.ts';
import { type FigureOptions, figureStyle } from '../report/attribution/figure-options.ts';
import { type ReportItem, type ReportOptions, reportHtmlWith } from '../report/attribution/html.ts';
import { composite, greyed, overlayLayer, viewBox } from '../report/attribution/overlay.ts';
import { contours, greyBase, gridLines } from '../report/attribution/panel.ts';
import { checkPicture } from '../report/attribution/picture.ts';
import { element, type SvgText, toSvg } from '../report/attribution/svg.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { encodePng } from './image/encode-png.ts';
import { canvasCodec, onCanvas } from './picture-codec.ts';

/** The figure as SVG; see `figureSvgWith`. */
export const figureSvg = (
  result: Attribution,
  image: RgbImage,
  options?: FigureOptions,
  density?: number,
  writing?: SvgText,
): Promise<string> => figureSvgWith(canvasCodec, result, image, options, density, writing);

/** A page of results that stands by itself; see `reportHtmlWith`. */
export const reportHtml = (items: readonly ReportItem[], options?: ReportOptions): Promise<string> =>
  reportHtmlWith(canvasCodec, items, options);

/** An SVG as a picture of the page. @throws NarrowsError in a worker, where browsers draw no SVG, and in Node */
async function drawn(svg: string): Promise<HTMLImageElement> {
  if (typeof OffscreenCanvas === 'undefined')
    throw new NarrowsError('There is no browser here to draw an SVG; in Node take figurePng and overlayPng of narrows/report.', {
      kind: 'usage',
    });
  if (typeof Image === 'undefined')
    throw new NarrowsError('A worker cannot draw an SVG; make the SVG there (figureSvg) and call svgToPng with it in the page.', {
      kind: 'usage',
    });
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
  } catch (error) {
    throw new NarrowsError(`The browser does not draw the figure (${messageOf(error)}); its policy must allow img-src blob: and data:.`, {
      cause: error,
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Pixels of a canvas as an opaque PNG. */
async function pngOf(canvas: OffscreenCanvas): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = canvas;
  const { data } = (canvas.getContext('2d') as OffscreenCanvasRenderingContext2D).getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) rgb.set(data.subarray(from, from + 3), to);
  return encodePng(width, height, rgb);
}

/** An SVG as PNG bytes, `density` device pixels per CSS pixel. In a page only. @throws NarrowsError in a worker or in Node, or for a density out of range */
export async function svgToPng(svg: string, density = 2): Promise<Uint8Array<ArrayBuffer>> {
  if (!(density >= 1 && density <= 4)) throw new NarrowsError(`Pixel density lies between 1 and 4, not ${density}.`, { kind: 'usage' });
  const image = await drawn(svg);
  const canvas = new OffscreenCanvas(Math.round(image.naturalWidth * density), Math.round(image.naturalHeight * density));
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pngOf(canvas);
}

/**
 * The figure as PNG bytes, `width * density` pixels wide; text is drawn as outlines, so that it looks the same everywhere. In a page only.
 * @param options `density`: device pixels per CSS pixel, 1–4; default 2
 * @throws NarrowsError as `figureSvg` and `svgToPng`
 */
export async function figurePng(
  result: Attribution,
  image: RgbImage,
  options: FigureOptions & { readonly density?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const density = options.density ?? 2;
  return svgToPng(await figureSvg(result, image, options, density, { text: 'outlines' }), density);
}

/** The image with its heat, at the original's resolution, nothing else: PNG bytes. @throws NarrowsError without an image map */
export async function overlayPng(result: Attribution, image: RgbImage, options: FigureOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  checkPicture(image);
  const style = figureStyle(result, options, image);
  if (!result.image || !style.imageScale)
    throw new NarrowsError('The result holds no map of the image; attribute with modality image or both.');
  const { width, height } = image;
  const layer = overlayLayer(result.image, image, width, height, { ...style, map: style.imageMap, scale: style.imageScale });
  const flat = composite(greyBase(style) ? greyed(image) : image, layer);
  if (style.method !== 'contour' && !style.grid) return encodePng(width, height, flat.data);
  const view = viewBox(result.image, image, width, height);
  const lines = [
    ...(style.method === 'contour' ? contours(result.image, view, style) : []),
    ...(style.grid ? [gridLines(result.image, view)] : []),
  ];
  const svg = toSvg(element('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height }, ...lines), { text: 'outlines' });
  const canvas = onCanvas(flat);
  (canvas.getContext('2d') as OffscreenCanvasRenderingContext2D).drawImage(await drawn(svg), 0, 0);
  return pngOf(canvas);
}
