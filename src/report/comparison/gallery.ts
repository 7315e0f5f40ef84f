/** @file Pictures for the report: pairs on which the reference is best, middling and worst, with every method's map. */

import type { CollectedKind } from '../../evaluation/compare/collect.ts';
import type { Mask, SampleSource } from '../../evaluation/compare/data/sample.ts';
import { prepare } from '../../evaluation/compare/engine/prepared.ts';
import { PairRecord } from '../../evaluation/compare/engine/record.ts';
import { type CompareSpec, methodSettings, metricSettings } from '../../evaluation/compare/settings.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { mergeWords } from '../../inputs/text/words.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { colourMap } from '../attribution/colour-map.ts';
import { displayScale } from '../attribution/normalise.ts';
import { composite, defaultOpacity, greyed, overlayLayer } from '../attribution/overlay.ts';
import { encodePng, resizeForDisplay } from '../attribution/picture.ts';

/** Height of a picture in pixels. */
const HEIGHT = 192;

/** One method's map of a case. */
export interface GalleryMap {
  readonly label: string;
  /** The metric's value on this pair, mean over seeds. */
  readonly value: number;
  /** Images: PNG bytes of the map on the picture. */
  readonly png?: Uint8Array;
  /** Captions: values of the words. */
  readonly words?: Float32Array;
}

/** One pair of the gallery. */
export interface GalleryCase {
  readonly place: 'best' | 'median' | 'worst';
  readonly group: string;
  readonly modality: Modality;
  readonly id: string;
  readonly caption: string;
  /** PNG bytes of the picture, the truth outlined. */
  readonly picture: Uint8Array;
  readonly words: readonly string[];
  /** 1 for words that the picture shows, where known. */
  readonly truth?: Uint8Array;
  readonly maps: readonly GalleryMap[];
}

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

/** Cases of one kind; none where the reference has no values. @throws NarrowsError for a sample that cannot be read */
export async function gallery(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  kind: CollectedKind,
  { metric, reference }: GalleryChoice,
): Promise<GalleryCase[]> {
  const setting = metricSettings(spec.metrics).find(m => m.label === metric);
  const values = kind.values[metric]?.[reference];
  if (!setting || !values) return [];
  const sign = setting.entry.direction === 'lower' ? 1 : -1;
  const order = values
    .map((seeds, p) => ({ p, value: meanOf(seeds) }))
    .filter(each => Number.isFinite(each.value))
    .sort((a, b) => sign * (a.value - b.value) || a.p - b.p)
    .map(each => each.p);
  if (order.length === 0) return [];
  const places = { best: order[0], median: order[order.length >> 1], worst: order[order.length - 1] };
  const cases: GalleryCase[] = [];
  for (const [place, p] of Object.entries(places))
    cases.push(await drawCase(spec, source, model, kind, metric, place as GalleryCase['place'], p));
  return cases;
}

async function drawCase(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  kind: CollectedKind,
  metric: string,
  place: GalleryCase['place'],
  p: number,
): Promise<GalleryCase> {
  const sample = await source.read(kind.pairs[p].index);
  const { pair, modality, group, id } = sample;
  const prepared = await prepare(model, sample, spec.imageSize);
  const record = await PairRecord.open(spec.directory, prepared.key, id);
  const shown = await resizeForDisplay(pair.image, Math.max(1, Math.round((pair.image.width / pair.image.height) * HEIGHT)), HEIGHT);
  const { view } = model.processor.process(pair.image, { size: spec.imageSize });
  const grid = model.image.grid!(...prepared.size);
  const [{ tokens }] = model.requireTokenizer().encodeBatch([pair.text], { maxLength: model.maxTextLength }).rows;
  const maps: GalleryMap[] = [];
  for (const { key, label, entry } of methodSettings(spec.methods)) {
    const found = record.map(key, spec.seed)?.map;
    if (!found) continue;
    const value = meanOf(kind.values[metric][label]?.[p] ?? []);
    if (modality === 'text') maps.push({ label, value, words: found });
    else maps.push({ label, value, png: await drawMap(found, grid, view, pair.image, shown, entry.unit) });
  }
  return {
    place,
    group,
    modality,
    id,
    caption: pair.text,
    picture: await encodePng(sample.truth ? outlined(shown, sample.truth) : shown),
    words: mergeWords(pair.text, tokens, new Float32Array(tokens.length)).map(w => w.text),
    truth: modality === 'text' ? prepared.truth : undefined,
    maps,
  };
}

function drawMap(
  map: Float32Array,
  grid: readonly [number, number],
  view: { left: number; top: number; width: number; height: number },
  original: RgbImage,
  shown: RgbImage,
  unit: 'nats' | 'score',
): Promise<Buffer> {
  const scale = displayScale(map, unit);
  const style = {
    method: 'blended',
    map: colourMap(scale.signed ? 'narrows-signed' : 'narrows-heat'),
    scale,
    opacity: defaultOpacity.blended,
  } as const;
  const convergence = { verdict: 'no-optimisation', note: '', fit: [], compression: [] } as const;
  const image = { tokens: map, prefixTokens: 0, grid, patches: map, view, convergence };
  return encodePng(composite(scale.signed ? greyed(shown) : shown, overlayLayer(image, original, shown.width, shown.height, style)));
}

/** The picture with a line of black and white around the truth. */
function outlined(picture: RgbImage, truth: Mask): RgbImage {
  const { width, height } = picture;
  const data = Uint8Array.from(picture.data);
  const inside = (x: number, y: number): boolean =>
    x >= 0 &&
    y >= 0 &&
    x < width &&
    y < height &&
    truth.data[Math.floor((y * truth.height) / height) * truth.width + Math.floor((x * truth.width) / width)] === 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (inside(x, y)) continue;
      const near = inside(x - 1, y) || inside(x + 1, y) || inside(x, y - 1) || inside(x, y + 1);
      const next = inside(x - 2, y) || inside(x + 2, y) || inside(x, y - 2) || inside(x, y + 2);
      if (near || next) data.fill(near ? 255 : 0, 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  return { width, height, data };
}
