/** @file Results and their analysis as JSON, written piece by piece: the values of a large comparison do not fit into one string. */

import {
  type ComparisonResults,
  checkResults,
  type ResultCase,
  type ResultMap,
  type ResultPart,
} from '../../evaluation/compare/results.ts';
import { decodeRle, encodeRle, type Rle } from '../../scenes/rle.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson, parseExact } from '../../system/exact-json.ts';
import { pictureOf } from '../attribution/sharp-codec.ts';
import type { Analysis } from './analyse.ts';
import type { DrawnGallery } from './draw-gallery.ts';

/** JSON with NaN and infinities as null (as JSON has it anyway). */
const json = (value: unknown): string => JSON.stringify(value);

/** Nine significant digits: values are sums of float32 numbers. */
const short = (v: number): number | null => (Number.isFinite(v) ? Number(v.toPrecision(9)) : null);

/** A case as a file holds it: the picture as PNG, the mask as COCO's run lengths. */
interface StoredCase extends Omit<ResultCase, 'picture' | 'mask' | 'truth' | 'maps'> {
  readonly picture: string;
  readonly mask?: Rle;
  readonly truth?: readonly number[];
  readonly maps: readonly (Omit<ResultMap, 'values'> & { readonly values: readonly (number | null)[] })[];
}

const storedCase = ({ picture: _, mask, truth, maps, ...one }: ResultCase, plain: string): StoredCase => ({
  ...one,
  picture: plain,
  ...(mask ? { mask: encodeRle(mask.data, mask.width, mask.height, 1) } : {}),
  ...(truth ? { truth: Array.from(truth) } : {}),
  maps: maps.map(map => ({ ...map, values: Array.from(map.values, short) })),
});

/** The results, with the tables under `analysis`. @param drawn the gallery's pictures, see `drawGallery` */
export function* resultsJson({ results, parts, ...settings }: Analysis, drawn: DrawnGallery): Generator<Uint8Array> {
  const { parts: _, ...head } = results;
  yield Buffer.from(`${json(head).slice(0, -1)},"parts":[`);
  for (const [p, { values, gallery, ...rest }] of results.parts.entries()) {
    const part = { ...rest, gallery: gallery.map(one => storedCase(one, drawn.get(one)!.plain)) };
    yield Buffer.from(`${p > 0 ? ',' : ''}\n${exactJson(part).slice(0, -1)},"values":{`);
    for (const [m, [metric, columns]] of Object.entries(values).entries()) {
      yield Buffer.from(`${m > 0 ? ',' : ''}\n${json(metric)}:{`);
      for (const [c, [method, rows]] of Object.entries(columns).entries()) {
        yield Buffer.from(`${c > 0 ? ',' : ''}\n${json(method)}:${json(rows.map(row => row.map(short)))}`);
      }
      yield Buffer.from('}');
    }
    yield Buffer.from('}}');
  }
  const tables = parts.map(({ part, tables: list, meanRank }) => ({
    group: part.group,
    modality: part.modality,
    meanRank,
    tables: list.map(({ metric, ...table }) => ({ metric: metric.name, ...table })),
  }));
  yield Buffer.from(`],\n"analysis":${json({ ...settings, parts: tables })}}\n`);
}

/** Results from the text of such a file: null is NaN again, pictures are decoded. @throws NarrowsError for anything else */
export async function resultsFromJson(text: string, path = 'The file'): Promise<ComparisonResults> {
  let file: (Omit<ComparisonResults, 'parts'> & { parts: StoredPart[]; analysis?: unknown }) | null;
  try {
    file = parseExact(text) as typeof file;
  } catch (error) {
    throw new NarrowsError(`${path} is not JSON.`, { cause: error });
  }
  if ((file?.schemaVersion as number) === 1)
    throw new NarrowsError(
      `${path} was written by an earlier version, whose maps were pictures; run \`narrows compare\` again, it resumes from its cache.`,
    );
  if (file?.schemaVersion !== 2 || !Array.isArray(file.parts) || !Array.isArray(file.methods) || !Array.isArray(file.metrics))
    throw new NarrowsError(`${path} does not hold the results of a comparison (schemaVersion 2, methods, metrics, parts).`);
  const { analysis: _, ...results } = file;
  const parts: ResultPart[] = [];
  for (const part of results.parts) {
    const gallery: ResultCase[] = [];
    for (const one of part.gallery) gallery.push(await restoreCase(one));
    parts.push({ ...part, gallery, values: restore(part.values) });
  }
  checkResults({ ...results, parts });
  return { ...results, parts };
}

type StoredPart = Omit<ResultPart, 'gallery'> & { readonly gallery: readonly StoredCase[] };

async function restoreCase({ picture, mask, ...one }: StoredCase): Promise<ResultCase> {
  const maps = one.maps.map(map => ({
    ...map,
    value: map.value ?? Number.NaN,
    values: Float32Array.from(map.values, v => v ?? Number.NaN),
  }));
  const decoded = mask && { width: mask.size[1], height: mask.size[0], data: decodeRle(mask) };
  return { ...one, maps, picture: await pictureOf(picture), ...(decoded ? { mask: decoded } : {}) };
}

function restore(values: ResultPart['values']): ResultPart['values'] {
  const columns = (all: ResultPart['values'][string]) =>
    Object.fromEntries(
      Object.entries(all).map(([method, rows]) => [method, rows.map(row => row.map(v => (v as number | null) ?? Number.NaN))]),
    );
  return Object.fromEntries(Object.entries(values).map(([metric, all]) => [metric, columns(all)]));
}
