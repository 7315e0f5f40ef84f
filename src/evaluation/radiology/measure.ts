/** @file The maps of one finding, and what they say. */
import type { Attributor } from '../../attribution/attributor.ts';
import type { PairAttribution } from '../../attribution/result.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { spearman } from '../../tensor/statistics/rank.ts';
import { maskInView } from '../compare/data/masks.ts';
import type { Mask } from '../compare/data/sample.ts';
import { truthMask } from '../compare/data/truth/truth-mask.ts';
import { energyPointingGame } from '../metrics/energy-pointing-game.ts';
import { iou, iouAtThreshold } from '../metrics/iou.ts';
import type { MetricSample } from '../metrics/metric.ts';
import { pointingGame } from '../metrics/pointing-game.ts';
import type { AuditItem } from './items.ts';
import { TEMPLATES } from './phrases.ts';
import type { AuditRecord, Variant } from './record.ts';

/** What maps are made with. */
export interface AuditTools {
  readonly method: Attributor;
  /** The same method on the model with its image tower's blocks drawn again. */
  readonly randomised: Attributor;
  /** The control that looks at nothing and points at the centre. */
  readonly centre: Attributor;
  readonly seed: number;
  readonly pictures?: ImageReadOptions;
}

/** Pixels of the view per patch: masks are compared with maps at this size. */
const CELL = 12;

/** A map with the truth on its view. */
function sampleOf({ image }: PairAttribution, truth: Mask): MetricSample {
  const { patches, grid, view } = image!;
  const size = [grid[0] * CELL, grid[1] * CELL] as const;
  return { modality: 'image', map: patches, grid, size, truth: maskInView(truth, view, size), key: 0 };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/**
 * Measures one finding. @throws NarrowsError for a picture that cannot be read, boxes beyond it, or a truth that the model's view leaves out
 */
export async function measureItem(item: AuditItem, { method, randomised, centre, seed, pictures }: AuditTools): Promise<AuditRecord> {
  const image = await decodeImage(item.path, { ...pictures, onNote: undefined, onWarning: undefined });
  const truth = truthMask(item.truth, image);
  const pair = (text: string) => ({ image, text, imageName: item.image });
  const run = { modality: 'image', seed } as const;
  const texts = (['phrase', 'denied', 'mirrored', 'shuffled'] as const).flatMap(variant =>
    item[variant] === undefined ? [] : [[variant, item[variant]] as const],
  );
  const made = await method.attributeAll(
    texts.map(([, text]) => pair(text)),
    run,
  );
  const maps = new Map<Variant, PairAttribution>(texts.map(([variant], i) => [variant, made[i]]));
  maps.set('ensemble', await method.attribute(pair(item.phrase), { ...run, target: { templates: [...TEMPLATES] } }));
  maps.set('randomised', await randomised.attribute(pair(item.phrase), run));
  maps.set('centre', await centre.attribute(pair(item.phrase), run));
  const main = maps.get('phrase')!;
  const sample = sampleOf(main, truth);
  const marked = sample.truth!.reduce((sum, v) => sum + v, 0);
  const warnings = [...new Set([...maps.values()].flatMap(result => result.warnings ?? []))];
  const { patches, grid, view } = main.image!;
  const base = {
    ...{ id: item.id, image: item.image, label: item.label, phrase: item.phrase },
    area: marked / sample.truth!.length,
    cosine: Object.fromEntries(texts.map(([variant], i) => [variant, made[i].cosine!])),
    total: patches.reduce((sum, v) => sum + v, 0),
    grid: [grid[0], grid[1]] as [number, number],
    view: { left: view.left, top: view.top, width: view.width, height: view.height },
    maps: Object.fromEntries(
      [...maps].map(([variant, result]) => [variant, Array.from(result.image!.patches, v => Number(v.toPrecision(5)))]),
    ),
    boxes: item.truth.boxes.map(box => [...box]),
  };
  if (marked === 0)
    return {
      ...base,
      inside: {},
      pointing: null,
      iou: null,
      iouArea: null,
      like: {},
      warnings: [...warnings, `${item.id}: its boxes lie outside of what the model sees, so it is not judged.`],
    };
  const value = async (of: number | Promise<number>): Promise<number | null> => finite(await of);
  const inside = await Promise.all(
    [...maps].map(async ([variant, result]) => [variant, await value(energyPointingGame.evaluate(sampleOf(result, truth), {}))] as const),
  );
  return {
    ...base,
    inside: Object.fromEntries(inside.filter(([, v]) => v !== null)),
    pointing: await value(pointingGame.evaluate(sample, { tolerance: 0 })),
    iou: await value(iouAtThreshold.evaluate(sample, { at: 0.5 })),
    iouArea: await value(iou.evaluate(sample, { threshold: 'area', at: 0.5 })),
    like: Object.fromEntries(
      [...maps].flatMap(([variant, result]) => {
        const rho = variant === 'phrase' ? Number.NaN : spearman(patches, result.image!.patches);
        return Number.isFinite(rho) ? [[variant, rho]] : [];
      }),
    ),
    warnings,
  };
}
