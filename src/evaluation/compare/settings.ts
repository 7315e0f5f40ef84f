/** @file What a comparison does, as plain data that workers and files can carry, and the same with the registries' entries. */

import { type MethodEntry, methodOptions } from '../../attribution/method.ts';
import { parseOptions } from '../../attribution/options.ts';
import { findMethod } from '../../attribution/registry.ts';
import { wrongSubject } from '../../attribution/subject.ts';
import { createHash } from '../../node/hash.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import type { Extensions } from '../extensions.ts';
import type { MetricEntry } from '../metrics/metric.ts';
import { findMetric } from '../metrics/registry.ts';
import type { DataSpec } from './data/sample.ts';

/** Raised when cached values would no longer be what the code computes. */
const CACHE_VERSION = 1;

/** A method or metric under a label of its own, with options that differ from the defaults. */
export interface Choice {
  readonly label: string;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** At most so many pairs per group and modality, and seeds; all by default. For what would cost too much on all. */
  readonly pairs?: number;
  readonly seeds?: number;
}

/** Everything that determines a comparison. */
export interface CompareSpec extends Extensions {
  /** As `fromPretrained` takes it. */
  readonly model: string;
  readonly methods: readonly Choice[];
  readonly metrics: readonly Choice[];
  readonly data: DataSpec;
  /** First seed of the methods, and their number. */
  readonly seed: number;
  readonly seeds: number;
  readonly imageSize?: number;
  /** Bytes of intermediate values of one run. */
  readonly maxMemory?: number;
  /** Pairs per group and modality on which metrics are computed that run methods again. */
  readonly robustnessSamples: number;
  /** Methods whose map costs more passes (forward and backward) than this are left out of these metrics. */
  readonly robustnessPasses: number;
  /** Directory of the results; `cache` is in it. */
  readonly directory: string;
}

/** A method ready to be made. */
export interface MethodSetting extends Choice {
  readonly entry: MethodEntry;
  /** Names the method and its options in the cache. */
  readonly key: string;
}

/** A metric with checked options. */
export interface MetricSetting extends Choice {
  readonly entry: MetricEntry;
  readonly parsed: Record<string, unknown>;
  readonly key: string;
}

/** A short name of any JSON value. */
export const keyOf = (...parts: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([CACHE_VERSION, version, ...parts]))
    .digest('hex')
    .slice(0, 24);

const versionOf = ({ version: entryVersion }: { readonly version?: string }): string[] =>
  entryVersion === undefined ? [] : [entryVersion];

/** @throws NarrowsError for a name that is no method, or an option that is unknown or out of range */
export function methodSettings(choices: readonly Choice[]): MethodSetting[] {
  return choices.map(choice => {
    const entry = findMethod(choice.name);
    if (!entry) throw new NarrowsError(`There is no method "${choice.name}".`, { kind: 'usage' });
    if (entry.serves === 'question') throw new NarrowsError(wrongSubject(entry), { kind: 'usage' });
    const options = methodOptions(entry, { ...choice.options });
    return { ...choice, entry, key: keyOf('method', entry.name, options, ...versionOf(entry)) };
  });
}

/** @throws NarrowsError for a name that is no metric, or an option that is unknown or out of range */
export function metricSettings(choices: readonly Choice[]): MetricSetting[] {
  return choices.map(choice => {
    const entry = findMetric(choice.name);
    if (!entry) throw new NarrowsError(`There is no metric "${choice.name}".`, { kind: 'usage' });
    const parsed = parseOptions(entry.schema, choice.options, entry.name) as Record<string, unknown>;
    return { ...choice, entry, parsed, key: keyOf('metric', entry.name, parsed, ...versionOf(entry)) };
  });
}

/** The seeds that a method runs with: all where it samples, else the first, whose map serves the others. */
export const seedsOf = (spec: Pick<CompareSpec, 'seed' | 'seeds'>, method: Pick<MethodSetting, 'entry' | 'seeds'>): number[] =>
  Array.from({ length: method.entry.sampled ? Math.min(spec.seeds, method.seeds ?? spec.seeds) : 1 }, (_, i) => spec.seed + i);

/** The seeds whose maps a metric judges: metrics that run methods again look at the first only. */
export function judgedSeeds(metric: MetricSetting, method: MethodSetting, spec: CompareSpec): number[] {
  const all = seedsOf(spec, method);
  return all.slice(0, metric.entry.needs.includes('explain') ? 1 : (metric.seeds ?? all.length));
}

/** Whether the pair of a rank (among those of its group and modality) is among those of a method or metric. */
export const includes = (choice: Pick<Choice, 'pairs'>, rank: number): boolean => rank < (choice.pairs ?? Number.POSITIVE_INFINITY);
