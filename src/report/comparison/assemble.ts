/** @file Puts the results of a comparison together from its cache: tables, curves, costs, pictures, and where all that comes from. */

import { type CollectedKind, collect } from '../../evaluation/compare/collect.ts';
import type { SampleSource } from '../../evaluation/compare/data/sample.ts';
import {
  type ComparisonResults,
  checkResults,
  type ResultCase,
  type ResultMetric,
  type ResultPart,
} from '../../evaluation/compare/results.ts';
import { type CompareSpec, type MetricSetting, methodSettings, metricSettings } from '../../evaluation/compare/settings.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import { choosingMetric, gallery } from './gallery.ts';

/** What is said besides the cached values. */
export interface AssembleOptions {
  /** Label of the method that the others are held against. */
  readonly reference: string;
  /** The call that makes the comparison again. */
  readonly command?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What is to be known of a metric that judged only a part of the pairs or seeds. */
function limitsOf(metric: MetricSetting, spec: CompareSpec): string {
  const again = metric.entry.needs.includes('explain');
  const pairs = Math.min(metric.pairs ?? Number.POSITIVE_INFINITY, again ? spec.robustnessSamples : Number.POSITIVE_INFINITY);
  const seeds = again ? 1 : Math.min(metric.seeds ?? spec.seeds, spec.seeds);
  const parts = [
    ...(Number.isFinite(pairs) ? [`the first ${pairs} pairs`] : []),
    ...(seeds < spec.seeds ? [seeds === 1 ? 'the first seed' : `the first ${seeds} seeds`] : []),
  ];
  const costly = again ? ` Methods of more than ${spec.robustnessPasses} passes a map are left out.` : '';
  return (parts.length ? ` Computed on ${parts.join(' and ')} of each part.` : '') + costly;
}

const metricOf = (metric: MetricSetting, spec: CompareSpec): ResultMetric => ({
  name: metric.label,
  title: metric.label === metric.name ? metric.entry.title : `${metric.entry.title} (${metric.label})`,
  category: metric.entry.category,
  direction: metric.entry.direction,
  unit: metric.entry.unit,
  reading: metric.entry.reading + limitsOf(metric, spec),
});

/**
 * The results of all pairs that are complete.
 * @throws NarrowsError where none is, or the reference took no part; the signal's reason when aborted
 */
export async function assembleResults(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  options: AssembleOptions,
): Promise<ComparisonResults> {
  const methods = methodSettings(spec.methods);
  const metrics = metricSettings(spec.metrics);
  const { reference } = options;
  if (!methods.some(m => m.label === reference))
    throw new NarrowsError(
      `The reference "${reference}" is not among the methods of this comparison: ${methods.map(m => m.label).join(', ')}.`,
      {
        kind: 'usage',
      },
    );
  const kinds = await collect(spec, source, model, options);
  const complete = kinds.reduce((sum, kind) => sum + kind.pairs.length, 0);
  if (complete === 0) throw new NarrowsError('No pair of this comparison is complete yet; let it run on.');
  const parts: ResultPart[] = [];
  for (const kind of kinds) {
    if (kind.pairs.length === 0) continue;
    options.signal?.throwIfAborted();
    parts.push({ ...partOf(kind), gallery: await casesOf(spec, source, model, kind, reference) });
  }
  const total = source.names.length;
  const warnings = [...new Set([...(model.warnings ?? []), ...kinds.flatMap(kind => kind.warnings)])];
  const results: ComparisonResults = {
    schemaVersion: 2,
    model: { name: spec.model, sha256: await model.sha256() },
    data: {
      name: source.description,
      samples: complete,
      ...(spec.data.kind === 'scenes' ? { style: spec.data.groups.map(g => g.name).join(', ') } : {}),
    },
    seeds: Array.from({ length: spec.seeds }, (_, i) => spec.seed + i),
    reference,
    methods: methods.map(({ label, name, entry, options: given, pairs, seeds }) => ({
      name: label,
      title: label === name ? entry.title : `${entry.title} (${label})`,
      family: entry.family,
      options: { ...given, ...(pairs === undefined ? {} : { pairs }), ...(seeds === undefined ? {} : { seeds }) },
    })),
    metrics: metrics.map(metric => metricOf(metric, spec)),
    parts,
    ...(warnings.length > 0 ? { warnings } : {}),
    provenance: {
      narrows: version,
      runtime: `${model.runtime.name} ${model.runtime.version}`,
      created: new Date().toISOString(),
      ...(options.command === undefined ? {} : { command: options.command }),
      ...(complete < total ? { incomplete: `${complete} of ${total} pairs are complete` } : {}),
      'pairs for robustness and randomisation': spec.robustnessSamples,
    },
  };
  checkResults(results);
  return results;
}

const partOf = ({ pairs, metricSeconds: _, warnings: __, ...rest }: CollectedKind): Omit<ResultPart, 'gallery'> => ({
  ...rest,
  pairs: pairs.map(({ index: __, ...pair }) => pair),
});

async function casesOf(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  kind: CollectedKind,
  reference: string,
): Promise<ResultCase[]> {
  const metric = choosingMetric(spec, kind);
  if (metric === undefined) return [];
  return gallery(spec, source, model, kind, { metric, reference });
}
