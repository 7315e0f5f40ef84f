/** @file What may be asked of a figure, with its defaults filled in. */

import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type ColourMap, colourMap, defaultColourMap } from './colour-map.ts';
import { displayScale, type Scale, type ScaleOptions } from './normalise.ts';
import { defaultOpacity, finestMap, type OverlayMethod, overlayMethods } from './overlay.ts';
import { type Theme, themes } from './theme.ts';

/** Options of `figureSvg` and `figurePng`. */
export interface FigureOptions extends ScaleOptions {
  /** Width of the figure in CSS pixels, 320–4000. Default 1200. */
  readonly width?: number;
  readonly theme?: 'light' | 'dark';
  readonly method?: OverlayMethod;
  /** Opacity of the strongest value, 0–1. Default: what suits the method. */
  readonly opacity?: number;
  /** Name of a colour map. Default `narrows-heat`, for signed scores `narrows-signed` (`-dark` in the dark theme). */
  readonly colourMap?: string;
  /** Lines between patches. Default false. */
  readonly grid?: boolean;
  /** Numbers under the words. Default true. */
  readonly wordValues?: boolean;
  /** `row`: original, heat, caption side by side; `below`: caption under the pictures; `stack`: all in one column. */
  readonly layout?: 'auto' | 'row' | 'below' | 'stack';
  /** Leave the plain image out. Default: shown. */
  readonly original?: boolean;
  /** Title; default: the method and the model. */
  readonly title?: string;
  /** Draw labels as outlines rather than text: the same everywhere, but not editable. PNG always does. Default false. */
  readonly outlines?: boolean;
}

/** Everything a figure needs, decided. */
export interface FigureStyle {
  readonly width: number;
  readonly theme: Theme;
  readonly method: OverlayMethod;
  readonly opacity: number;
  /** The words'. */
  readonly map: ColourMap;
  /** The image's: signed maps on dark pictures (radiographs) are dark at zero, since white would hide them. */
  readonly imageMap: ColourMap;
  readonly grid: boolean;
  readonly wordValues: boolean;
  readonly layout: 'auto' | 'row' | 'below' | 'stack';
  readonly original: boolean;
  readonly title: string;
  readonly imageScale?: Scale;
  readonly wordScale?: Scale;
}

/** The method's name as tables print it. */
export function methodLabel({ title, method }: Pick<Attribution, 'title' | 'method'>): string {
  if (title !== undefined) return title;
  return /^[a-z0-9]{1,5}$/.test(method) ? method.toUpperCase() : method.replace(/[-_]/g, ' ').replace(/^./, letter => letter.toUpperCase());
}

/** What the text of a result is: a caption, or for models that answer (they have no cosine) a question. */
export const textWord = ({ cosine }: Pick<Attribution, 'cosine'>): 'caption' | 'question' =>
  cosine === undefined ? 'question' : 'caption';

/** What a map in nats says: how much a match needed, or how much of the input a model keeps. */
export const natsHeading = (result: Pick<Attribution, 'cosine' | 'answer'>, part: 'image' | 'text'): string =>
  `${result.cosine === undefined && !result.answer ? 'Kept of' : 'Needed from'} the ${part === 'image' ? 'image' : textWord(result)}`;

/** What each map explains; nothing where both explain what they do when nothing else is asked for. */
export function explained(result: Attribution): { readonly map: string; readonly target: string }[] {
  if (result.targetKind === 'caption') return [];
  const image = result.image && (result.image.target ?? result.target);
  const text = result.text && (result.text.target ?? (result.image ? undefined : result.target));
  const said = [
    { map: 'image map', target: image },
    { map: `${textWord(result)} map`, target: text },
  ];
  if (image !== undefined && image === text) return [{ map: 'both maps', target: image }];
  return said.flatMap(({ map, target }) => (target === undefined ? [] : [{ map, target }]));
}

/** The same in words, such as `image map: cosine to the caption minus cosine to "a cat"`. */
export const explainedTexts = (result: Attribution): string[] => explained(result).map(({ map, target }) => `${map}: ${target}`);

/** True for a picture whose mean luma is below a third: on it, a map that is light at zero reads as fog. */
export function isDark({ data }: RgbImage): boolean {
  // Every hundredth pixel is enough for a mean.
  const step = 3 * Math.max(1, Math.floor(data.length / 3 / 10000));
  let [sum, count] = [0, 0];
  for (let i = 0; i + 2 < data.length; i += step, count++) sum += 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
  return sum < (255 / 3) * count;
}

/** Fills in what was not asked for. @throws NarrowsError for a value out of range or a result with neither image nor text. */
export function figureStyle(result: Attribution, options: FigureOptions = {}, picture?: RgbImage): FigureStyle {
  if (!result.image && !result.text)
    throw new NarrowsError('The result holds no map of the image and none of the caption: nothing to draw.');
  const width = options.width ?? 1200;
  if (!(width >= 320 && width <= 4000)) throw new NarrowsError(`A figure is 320 to 4000 pixels wide, not ${width}.`, { kind: 'usage' });
  const method = options.method ?? 'blended';
  if (!overlayMethods.includes(method)) {
    throw new NarrowsError(`There is no overlay '${method}'; choose one of ${overlayMethods.join(', ')}.`, { kind: 'usage' });
  }
  const opacity = options.opacity ?? defaultOpacity[method];
  if (!(opacity >= 0 && opacity <= 1)) throw new NarrowsError(`Opacity lies between 0 and 1, not ${opacity}.`, { kind: 'usage' });
  const shown = result.image && finestMap(result.image);
  // Pixel gradients have a few extreme values that would leave the rest pale: two percent of the mass is clipped, as captum does.
  const clipped = { ...options, outlierPercent: options.outlierPercent ?? (shown?.of === 'pixel' ? 2 : 0) };
  const imageScale = shown && displayScale(shown.values, result.unit, clipped);
  // `high` fixes the image's scale; words have a scale of their own, since a word and a patch are not the same kind of thing. So have their
  // signs: evidence against among the words gives the image no side that it lacks.
  const words = result.text?.words.map(word => word.value);
  const wordScale = words && displayScale(words, result.unit, { unit: options.unit, signed: options.signed });
  const theme = options.theme ?? 'light';
  const dark = theme === 'dark';
  const mapFor = (scale: Scale | undefined, onDark: boolean): ColourMap =>
    options.colourMap === undefined ? defaultColourMap(scale?.signed ?? false, onDark) : colourMap(options.colourMap);
  return {
    width,
    theme: themes[theme],
    method,
    opacity,
    map: mapFor(wordScale, dark),
    imageMap: mapFor(imageScale, dark || (picture !== undefined && isDark(picture))),
    grid: options.grid ?? false,
    wordValues: options.wordValues ?? true,
    layout: options.layout ?? 'auto',
    original: options.original ?? true,
    title: options.title ?? `${methodLabel(result)} · ${result.provenance.model.name}`,
    imageScale,
    wordScale,
  };
}
