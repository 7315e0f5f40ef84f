/** @file All metrics. The command line, reports, docs and tests read this table; nothing is listed twice. */
import { parseOptions } from '../options.ts';
import { type Metric, type MetricEntry, StreamingMetric } from './metric.ts';

/** The table, category by category. */
export const metrics: readonly MetricEntry[] = [];

/** The entry called `name`, or undefined. */
export const findMetric = (name: string): MetricEntry | undefined => metrics.find(m => m.name === name);

/** A metric ready to take maps. @throws NarrowsError for an option that is unknown or out of range */
export function createMetric(entry: MetricEntry, options: Record<string, unknown> = {}): Metric {
  return new StreamingMetric(entry, parseOptions(entry.schema, options, entry.name) as Record<string, unknown>);
}
