/** @file Figures and pages drawn with Node's picture codec. Each is the function of the same name with `With`, which takes any codec. */
import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { figureSvgWith } from './figure.ts';
import type { FigureOptions } from './figure-options.ts';
import { type ReportItem, type ReportOptions, reportHtmlWith } from './html.ts';
import { indexRowWith } from './html-index.ts';
import type { IndexRow } from './index-row.ts';
import type { Scale } from './normalise.ts';
import { sharpCodec } from './sharp-codec.ts';
import type { SvgText } from './svg.ts';
import { terminalThumbnailWith } from './terminal.ts';

/** See `figureSvgWith`. */
export const figureSvg = (
  result: Attribution,
  image: RgbImage,
  options?: FigureOptions,
  density?: number,
  writing?: SvgText,
): Promise<string> => figureSvgWith(sharpCodec, result, image, options, density, writing);

/**
 * See `reportHtmlWith`.
 * @example
 * await using model = await loadModel('scene-clip');
 * await using method = createMethod('legrad', model);
 * const image = await decodeImage('examples/scene.png');
 * const page = await reportHtml([{ result: await method.attribute({ image, text: 'an umbrella' }), image }]);
 * console.log(page.startsWith('<!doctype html>'));
 */
export const reportHtml = (items: readonly ReportItem[], options?: ReportOptions): Promise<string> =>
  reportHtmlWith(sharpCodec, items, options);

/** See `indexRowWith`. */
export const indexRow = (result: Attribution, image: RgbImage, href?: string, scale?: Scale): Promise<IndexRow> =>
  indexRowWith(sharpCodec, result, image, href, scale);

/** See `terminalThumbnailWith`. */
export const terminalThumbnail = (result: Attribution, image: RgbImage, columns?: number, mapName?: string): Promise<string> =>
  terminalThumbnailWith(sharpCodec, result, image, columns, mapName);
