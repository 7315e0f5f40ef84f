/**
 * @file The outcome of a comparison as plain data: methods × metrics × pairs × seeds, by group (a style of scenes, a file) and modality.
 * Everything is plain data; files hold NaN as null, pictures as PNG, masks as run lengths (report/comparison/json.ts). Maps are raw: reports are
 * made from this only and draw them.
 */

import type { Family } from '../../attribution/method.ts';
import type { Rectangle, RgbImage } from '../../inputs/image/rgb-image.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Category, MetricEntry } from '../metrics/metric.ts';
import type { Mask } from './data/sample.ts';

/** A method that took part. */
export interface ResultMethod {
  /** Its label in this comparison, unique. */
  readonly name: string;
  readonly title: string;
  /** Controls (family `control`) are in every table. */
  readonly family: Family;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A metric that judged. */
export interface ResultMetric {
  /** Its label in this comparison, unique. */
  readonly name: string;
  readonly title: string;
  readonly category: Category;
  readonly direction: MetricEntry['direction'];
  readonly unit: string;
  /** One sentence on how to read it. */
  readonly reading: string;
}

/**
 * Steps of the curves that are stored, whatever steps the metrics were given: insertion's and deletion's default, whose coalitions are known by
 * then. Fewer parts than steps go one by one.
 */
export const CURVE_STEPS = 16;

/** A curve at equal shares of its range from 0 to 1, mean over pairs, with an interval where one was computed. */
export interface ResultCurve {
  readonly mean: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

/** Work and time per map. */
export interface ResultCost {
  /** Median over measurements: one per block of pairs and seed, of warm runs where there are any, compilation apart. */
  readonly seconds: number;
  /** Least and largest of these measurements, and their number. */
  readonly range?: readonly [number, number];
  readonly measurements?: number;
  /** Passes through the tower. */
  readonly forward: number;
  readonly backward: number;
}

/** A method's map of a case, as the method gave it; reports draw it. */
export interface ResultMap {
  readonly method: string;
  /** Of the metric that chose the case, mean over seeds. */
  readonly value: number;
  /** What `values` are. */
  readonly unit: 'nats' | 'score';
  /** Of the patches, row by row, or of the words. */
  readonly values: ArrayLike<number>;
}

/** A pair of the gallery. */
export interface ResultCase {
  readonly place: 'best' | 'median' | 'worst';
  /** The metric by whose value for the reference it was chosen. */
  readonly metric: string;
  readonly pair: string;
  readonly caption: string;
  /** The picture at the size at which it is shown. */
  readonly picture: RgbImage;
  /** Images: rows and columns of the patches. */
  readonly grid?: readonly [number, number];
  /** Images: what the model saw, in pixels of `picture` (with fractions; it may reach outside). */
  readonly view?: Rectangle;
  /** Images: where the named thing is, of the size of `picture`, where known. */
  readonly mask?: Mask;
  /** Captions: their words. */
  readonly words?: readonly string[];
  /** Captions: 1 for words that the picture shows, where known. */
  readonly truth?: ArrayLike<number>;
  readonly maps: readonly ResultMap[];
}

/** A pair. */
export interface ResultPair {
  readonly id: string;
  readonly caption: string;
  readonly cosine?: number;
  /** Further columns of the data file, as they stand there. */
  readonly further?: Readonly<Record<string, unknown>>;
  /** Pairs of one cluster (captions of one picture) are not independent: statistics take their mean for one observation. */
  readonly cluster?: string;
}

/** A metric that could not be computed for some maps of a method. */
export interface MetricFailure {
  /** Pairs that were left out. */
  readonly pairs: number;
  /** Why, on the first of them. */
  readonly reason: string;
}

/** One group of pairs in one modality. */
export interface ResultPart {
  readonly group: string;
  readonly modality: 'image' | 'text';
  readonly pairs: readonly ResultPair[];
  /**
   * By metric and method: [pairs][seeds]. NaN where a metric is not defined for a map. A pair without seeds (an empty row) was left out; a
   * method that draws nothing has one seed.
   */
  readonly values: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
  /** By method, by name of the curve (`insertion`, `deletion`). */
  readonly curves: Readonly<Record<string, Readonly<Record<string, ResultCurve>>>>;
  readonly cost: Readonly<Record<string, ResultCost>>;
  /** Why a method has no values here. */
  readonly skipped?: Readonly<Record<string, string>>;
  /** Pairs on which a method failed. */
  readonly failures?: Readonly<Record<string, number>>;
  /** By metric and method: where the metric failed. The next run tries again. */
  readonly metricFailures?: Readonly<Record<string, Readonly<Record<string, MetricFailure>>>>;
  readonly gallery: readonly ResultCase[];
}

/** A whole comparison. */
export interface ComparisonResults {
  readonly schemaVersion: 2;
  readonly title?: string;
  readonly model: { readonly name: string; readonly sha256: string };
  /** `samples`: pairs in all. */
  readonly data: { readonly name: string; readonly samples: number; readonly style?: string };
  readonly seeds: readonly number[];
  /** Name of the method that the others are held against. */
  readonly reference: string;
  readonly methods: readonly ResultMethod[];
  readonly metrics: readonly ResultMetric[];
  readonly parts: readonly ResultPart[];
  /** What was assumed, ignored or cut: of the checkpoint, of pictures and captions; each once. */
  readonly warnings?: readonly string[];
  /** Version, runtime, time, the command that does it again, what else is to be known. */
  readonly provenance: Readonly<Record<string, string | number>>;
}

/**
 * Checks what types cannot: names are unique and known, every table has a row per pair.
 * @throws NarrowsError in one sentence
 */
export function checkResults(results: ComparisonResults): void {
  const fail = (message: string): never => {
    throw new NarrowsError(`The results of a comparison are not sound: ${message}.`);
  };
  const known = (list: readonly { readonly name: string }[], what: string): Set<string> => {
    const names = new Set(list.map(each => each.name));
    if (names.size < list.length) fail(`two ${what} have one name`);
    return names;
  };
  const methods = known(results.methods, 'methods');
  const metrics = known(results.metrics, 'metrics');
  if (!methods.has(results.reference)) fail(`the reference "${results.reference}" is not among the methods`);
  for (const { group, modality, pairs, values, curves, cost, gallery } of results.parts) {
    const place = `part "${group}" (${modality})`;
    for (const [metric, columns] of Object.entries(values)) {
      if (!metrics.has(metric)) fail(`${place} has values of an unknown metric "${metric}"`);
      for (const [method, rows] of Object.entries(columns)) {
        if (!methods.has(method)) fail(`${place} has values of an unknown method "${method}"`);
        if (rows.length !== pairs.length) fail(`${place} has ${pairs.length} pairs but ${rows.length} rows of "${metric}" for "${method}"`);
      }
    }
    const named = [...Object.keys(curves), ...Object.keys(cost), ...gallery.flatMap(each => each.maps.map(map => map.method))];
    const stranger = named.find(name => !methods.has(name));
    if (stranger !== undefined) fail(`${place} names an unknown method "${stranger}"`);
    for (const one of gallery) checkCase(one, modality, message => fail(`${place}, gallery, ${one.place} case: ${message}`));
  }
}

/** A case can be drawn: its picture is whole, and every map has a value per patch or word. */
function checkCase(
  { picture, grid, view, mask, words, truth, maps }: ResultCase,
  modality: Modality,
  fail: (message: string) => never,
): void {
  const pixels = picture.width * picture.height;
  if (!(pixels > 0) || picture.data.length !== 3 * pixels) fail('the picture has another number of bytes than its size asks for');
  if (mask && (mask.width !== picture.width || mask.height !== picture.height || mask.data.length !== pixels))
    fail('the mask is of another size than the picture');
  if (modality === 'image' && !(grid && view)) fail('the grid or the view is missing');
  if (modality === 'text' && !words) fail('the words are missing');
  const count = modality === 'image' ? grid![0] * grid![1] : words!.length;
  if (truth && truth.length !== count) fail(`${truth.length} truths for ${count} words`);
  for (const { method, values } of maps)
    if (values.length !== count) fail(`${values.length} values of "${method}" for ${count} ${modality === 'image' ? 'patches' : 'words'}`);
}
