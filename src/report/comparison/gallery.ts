/** @file Cases for the gallery: pairs on which the reference is best, middling and worst, with every method's raw map. */

import type { CollectedKind } from '../../evaluation/compare/collect.ts';
import type { Mask, SampleSource } from '../../evaluation/compare/data/sample.ts';
import { type CompareCells, openCells } from '../../evaluation/compare/engine/cells.ts';
import { prepare } from '../../evaluation/compare/engine/prepared.ts';
import { PairRecord } from '../../evaluation/compare/engine/record.ts';
import type { ResultCase } from '../../evaluation/compare/results.ts';
import { type CompareSpec, methodSettings, metricSettings } from '../../evaluation/compare/settings.ts';
import { mergeWords } from '../../inputs/text/words.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { processImage } from '../../models/process-image.ts';
import { resizeForDisplay } from '../attribution/picture.ts';
import { sharpCodec } from '../attribution/sharp-codec.ts';

/** Height of a picture in pixels. */
const HEIGHT = 192;

/** What the gallery's places are chosen by. */
export interface GalleryChoice {
  readonly metric: string;
  readonly reference: string;
}

/** The metric that chooses: the first of localisation that has values, else the first with a direction. */
export function choosingMetric(spec: CompareSpec, kind: CollectedKind): string | undefined {
  const judged = metricSettings(spec.metrics).filter(m => m.entry.direction !== 'none' && kind.values[m.label] !== undefined);
  return (judged.find(m => m.entry.category === 'localisation') ?? judged[0])?.label;
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Which pairs of [pairs][seeds] are best, middling and worst by their mean over seeds; ties by their order. Undefined where none has a value. */
export function placesOf(
  values: readonly (readonly number[])[],
  direction: 'higher' | 'lower' | 'none',
): Record<ResultCase['place'], number> | undefined {
  const sign = direction === 'lower' ? 1 : -1;
  const order = values
    .map((seeds, p) => ({ p, value: meanOf(seeds) }))
    .filter(each => Number.isFinite(each.value))
    .sort((a, b) => sign * (a.value - b.value) || a.p - b.p)
    .map(each => each.p);
  if (order.length === 0) return undefined;
  return { best: order[0], median: order[order.length >> 1], worst: order[order.length - 1] };
}

/** Cases of one kind; none where the reference has no values. @throws NarrowsError for a sample that cannot be read */
export async function gallery(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  kind: CollectedKind,
  { metric, reference }: GalleryChoice,
): Promise<ResultCase[]> {
  const setting = metricSettings(spec.metrics).find(m => m.label === metric);
  const values = kind.values[metric]?.[reference];
  if (!setting || !values) return [];
  const places = placesOf(values, setting.entry.direction);
  if (!places) return [];
  await using cells = await openCells(spec.directory, { readOnly: true });
  const from = { spec, source, model, cells };
  const cases: ResultCase[] = [];
  for (const [place, p] of Object.entries(places))
    cases.push(await readCase(from, { kind, metric, place: place as ResultCase['place'], p }));
  return cases;
}

/** What cases are read from. */
interface CaseSource {
  readonly spec: CompareSpec;
  readonly source: SampleSource;
  readonly model: DualEncoder;
  readonly cells: CompareCells;
}

async function readCase(
  { spec, source, model, cells }: CaseSource,
  { kind, metric, place, p }: { kind: CollectedKind; metric: string; place: ResultCase['place']; p: number },
): Promise<ResultCase> {
  const sample = await source.read(kind.pairs[p].index);
  const { pair, modality, id } = sample;
  const prepared = await prepare(model, sample, spec.imageSize);
  const record = new PairRecord(prepared.key, cells);
  const maps = methodSettings(spec.methods).flatMap(({ key, label, entry }) => {
    const values = record.map(key, spec.seed)?.map;
    return values ? [{ method: label, value: meanOf(kind.values[metric][label]?.[p] ?? []), unit: entry.unit, values }] : [];
  });
  const width = Math.max(1, Math.round((pair.image.width / pair.image.height) * HEIGHT));
  const picture = await resizeForDisplay(sharpCodec, pair.image, width, HEIGHT);
  const common = { place, metric, pair: id, caption: pair.text, picture, maps };
  if (modality === 'text') {
    const [{ tokens }] = model.requireTokenizer().encodeBatch([pair.text], { maxLength: model.maxTextLength }).rows;
    const words = mergeWords(pair.text, tokens, new Float32Array(tokens.length)).map(w => w.text);
    return { ...common, words, truth: prepared.truth };
  }
  const { view } = processImage(model, pair.image, spec.imageSize);
  const [sx, sy] = [width / pair.image.width, HEIGHT / pair.image.height];
  return {
    ...common,
    grid: model.image.grid!(...prepared.size),
    view: { left: view.left * sx, top: view.top * sy, width: view.width * sx, height: view.height * sy },
    ...(sample.truth ? { mask: shrink(sample.truth, width, HEIGHT) } : {}),
  };
}

/** The mask at another size, by the nearest pixel. */
function shrink(mask: Mask, width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data[y * width + x] = mask.data[Math.floor((y * mask.height) / height) * mask.width + Math.floor((x * mask.width) / width)];
  return { width, height, data };
}
