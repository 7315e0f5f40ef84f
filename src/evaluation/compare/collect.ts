/** @file What the cache says of a comparison, pair by pair: values of all metrics, costs, mean curves; nothing is summed up over pairs but curves. */
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { mean, median, standardError } from '../../tensor/statistics/descriptive.ts';
import type { SampleSource } from './data/sample.ts';
import { judges, servedBy } from './engine/block.ts';
import type { Curves, StoredMap } from './engine/cells.ts';
import { type Surveyed, survey } from './engine/survey.ts';
import type { MetricFailure, ResultCost, ResultCurve, ResultPair } from './results.ts';
import { type CompareSpec, includes, judgedSeeds, type MethodSetting, methodSettings, metricSettings, seedsOf } from './settings.ts';

/** Work and time of a stored map. */
type StoredCost = Omit<StoredMap, 'map'>;

/** Points of a mean curve. */
const POINTS = 17;

/** The pairs of one group and modality. */
export interface CollectedKind {
  readonly group: string;
  readonly modality: Modality;
  /** Complete pairs, in the source's order. */
  readonly pairs: readonly (ResultPair & { readonly index: number; readonly cosine: number })[];
  /**
   * By metric and method: [pairs][seeds], NaN where a metric is not defined. A pair that a method or metric leaves out, or on which one of
   * them failed, has no seeds.
   */
  readonly values: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
  /** By method: mean over pairs of the values as the best players come or go, at equal shares from 0 to 1. */
  readonly curves: Readonly<Record<string, Readonly<Record<keyof Curves, ResultCurve>>>>;
  /** Seconds are the median over maps. */
  readonly cost: Readonly<Record<string, ResultCost>>;
  /** Why a method has no values here, by its label: the model cannot be served, or a reason met on some pairs. */
  readonly skipped: Readonly<Record<string, string>>;
  /** Pairs on which a method failed, by its label. */
  readonly failures: Readonly<Record<string, number>>;
  /** By metric and method: pairs on which the metric failed, and why it did on the first of them. */
  readonly metricFailures: Readonly<Record<string, Readonly<Record<string, MetricFailure>>>>;
  /** Seconds per map that each metric took. */
  readonly metricSeconds: Readonly<Record<string, number>>;
  /** Of the pictures and captions of its pairs, each once. */
  readonly warnings: readonly string[];
}

/** Values at equal shares from 0 to 1, between the points by straight lines. */
export function resample(curve: readonly number[], points = POINTS): number[] {
  return Array.from({ length: points }, (_, k) => {
    const at = (k / (points - 1)) * (curve.length - 1);
    const i = Math.min(Math.floor(at), curve.length - 2);
    return curve[i] + (curve[i + 1] - curve[i]) * (at - i);
  });
}

/** Mean of curves of any lengths at 17 equal shares, with its 95 % interval by the normal approximation where there are two or more. */
export function meanCurve(curves: readonly (readonly number[])[]): ResultCurve {
  const all = curves.map(curve => resample(curve));
  const at = (k: number): number[] => all.map(curve => curve[k]);
  const centre = Array.from({ length: POINTS }, (_, k) => mean(at(k)));
  if (all.length < 2) return { mean: centre };
  const half = centre.map((_, k) => 1.96 * standardError(at(k)));
  return { mean: centre, low: centre.map((v, k) => v - half[k]), high: centre.map((v, k) => v + half[k]) };
}

/** What was measured: one figure per block, and only warm runs where there are any. */
function measured<C extends Pick<StoredCost, 'cold' | 'lead'>>(costs: readonly C[]): C[] {
  const one = costs.filter(c => c.lead !== false);
  const blocks = one.length > 0 ? one : [...costs];
  const warm = blocks.filter(c => c.cold !== true);
  return warm.length > 0 ? warm : blocks;
}

/** Metrics whose value is measured once for a whole block of pairs. */
const MEASURED = new Set(['seconds', 'peak-memory']);

class Gathering {
  readonly warnings = new Set<string>();
  readonly pairs: (ResultPair & { readonly index: number; readonly cosine: number })[] = [];
  readonly values: Record<string, Record<string, number[][]>> = {};
  readonly curves = new Map<string, Curves[]>();
  readonly costs = new Map<string, StoredCost[]>();
  /** Rows of `values` that are copies of a block's figure or of cold runs, by metric and method: taken out at the end. */
  readonly timed: { readonly rows: number[][]; readonly costs: StoredCost[][] }[] = [];
  readonly skipped: Record<string, string> = {};
  readonly failures: Record<string, number> = {};
  readonly metricFailures: Record<string, Record<string, MetricFailure>> = {};
  readonly metricSeconds = new Map<string, [number, number]>();
  constructor(
    readonly group: string,
    readonly modality: Modality,
  ) {}

  finish(): CollectedKind {
    const { group, modality, pairs, values, skipped, failures, metricFailures } = this;
    for (const { rows, costs } of this.timed) {
      const kept = new Set(measured(costs.flat()));
      for (const [p, row] of rows.entries())
        row.splice(0, row.length, ...row.filter((_, s) => costs[p][s] === undefined || kept.has(costs[p][s])));
    }
    const curves = [...this.curves].map(([label, list]) => [
      label,
      { insertion: meanCurve(list.map(c => c.insertion)), deletion: meanCurve(list.map(c => c.deletion)) },
    ]);
    const cost = [...this.costs].map(([label, list]) => {
      const [forward, backward] = (['forward', 'backward'] as const).map(side => list.reduce((sum, c) => sum + c[side], 0) / list.length);
      const seconds = measured(list).map(c => c.seconds);
      return [
        label,
        {
          ...{ forward, backward, seconds: median(seconds), measurements: seconds.length },
          range: [Math.min(...seconds), Math.max(...seconds)] as const,
        },
      ];
    });
    return {
      warnings: [...this.warnings],
      group,
      modality,
      pairs,
      values,
      curves: Object.fromEntries(curves),
      cost: Object.fromEntries(cost),
      skipped,
      failures,
      metricFailures,
      metricSeconds: Object.fromEntries([...this.metricSeconds].map(([label, [seconds, maps]]) => [label, seconds / maps])),
    };
  }
}

/**
 * Gathers complete pairs.
 * @throws NarrowsError for a sample that cannot be read, the signal's reason when aborted
 */
export async function collect(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<CollectedKind[]> {
  const methods = methodSettings(spec.methods);
  const metrics = metricSettings(spec.metrics);
  const kinds = new Map<string, Gathering>();
  let done = 0;
  for await (const found of survey(spec, source, model, options.signal)) {
    options.onProgress?.(++done, source.names.length);
    const { group, modality, id, pair, further } = found.sample;
    const kind = kinds.get(`${group}\0${modality}`) ?? new Gathering(group, modality);
    kinds.set(`${group}\0${modality}`, kind);
    if (!found.complete) continue;
    for (const warning of found.warnings) kind.warnings.add(warning);
    kind.pairs.push({
      id,
      index: found.index,
      caption: pair.text,
      cosine: found.record.cosine ?? Number.NaN,
      // Findings of one picture, and captions of one picture, are not independent.
      ...(pair.imageName === undefined ? {} : { cluster: pair.imageName }),
      ...(further ? { further } : {}),
    });
    for (const metric of metrics) {
      if (!metric.entry.modalities.includes(modality)) continue;
      kind.values[metric.label] ??= {};
      for (const method of methods) {
        if (servedBy(method, model, modality) !== undefined) continue;
        kind.values[metric.label][method.label] ??= [];
        const there = includes(method, found.rank) && !found.failed.includes(method.label) && judges(metric, method, found, spec);
        const seeds = there ? judgedSeeds(metric, method, spec) : [];
        const reason = seeds.map(seed => found.record.valueFailure(method.key, metric.key, seed)).find(r => r !== undefined);
        if (reason !== undefined) {
          kind.metricFailures[metric.label] ??= {};
          const before = kind.metricFailures[metric.label][method.label];
          kind.metricFailures[metric.label][method.label] = { pairs: (before?.pairs ?? 0) + 1, reason: before?.reason ?? reason };
        }
        const values = reason === undefined ? seeds.map(seed => found.record.value(method.key, metric.key, seed) ?? Number.NaN) : [];
        const rows = kind.values[metric.label][method.label];
        rows.push(values);
        if (MEASURED.has(metric.name)) {
          const table = kind.timed.find(t => t.rows === rows) ?? { rows, costs: [] };
          if (!kind.timed.includes(table)) kind.timed.push(table);
          table.costs.push(reason === undefined ? seeds.flatMap(seed => found.record.cost(method.key, seed) ?? []) : []);
        }
        for (const seed of seeds) {
          const [s, m] = kind.metricSeconds.get(metric.label) ?? [0, 0];
          const seconds = found.record.valueSeconds(method.key, metric.key, seed);
          if (seconds !== undefined) kind.metricSeconds.set(metric.label, [s + seconds, m + 1]);
        }
      }
    }
    for (const method of methods) gatherMethod(kind, method, found, model, spec);
  }
  return [...kinds.values()].map(kind => kind.finish());
}

function gatherMethod(kind: Gathering, method: MethodSetting, { record, failed }: Surveyed, model: DualEncoder, spec: CompareSpec): void {
  const { label, key } = method;
  const reason =
    servedBy(method, model, kind.modality) ?? (failed.includes(label) ? record.failure(key, seedsOf(spec, method)) : undefined);
  if (failed.includes(label)) kind.failures[label] = (kind.failures[label] ?? 0) + 1;
  if (reason !== undefined) {
    kind.skipped[label] ??= reason;
    return;
  }
  const maps = seedsOf(spec, method).flatMap(seed => record.cost(key, seed) ?? []);
  if (maps.length > 0) kind.costs.set(label, [...(kind.costs.get(label) ?? []), ...maps]);
  const curves = record.curves(key);
  if (curves) kind.curves.set(label, [...(kind.curves.get(label) ?? []), curves]);
}
