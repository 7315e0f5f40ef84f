/** @file All metrics. The command line, reports, docs and tests read this table; nothing is listed twice. */
import { parseOptions } from '../../attribution/options.ts';
import { NarrowsError } from '../../system/errors.ts';
import { averageDrop, increaseInConfidence } from './average-drop.ts';
import { effectiveComplexity, entropy, gini } from './complexity.ts';
import { cosineDrop, cosineIncrease, textCosineDrop, textCosineIncrease } from './confidence.ts';
import { backwardPasses, forwardPasses, peakMemory, seconds } from './cost.ts';
import { energyPointingGame } from './energy-pointing-game.ts';
import { gridPointingGame } from './grid-pointing-game.ts';
import { infidelity } from './infidelity.ts';
import { iou, iouAtThreshold } from './iou.ts';
import { maxSensitivity } from './max-sensitivity.ts';
import { type Metric, type MetricEntry, StreamingMetric } from './metric.ts';
import { nibTextDrop, nibTextIncrease } from './nib-text.ts';
import { pFaithfulness } from './p-faithfulness.ts';
import { pgr } from './pgr.ts';
import { pixelAp, pixelAuc } from './pixel-auc.ts';
import { pixelDeletion, pixelInsertion } from './pixel-curves.ts';
import { pointingGame } from './pointing-game.ts';
import { matchedAgainstShuffled, parameterRandomisation, promptRandomisation } from './randomisation.ts';
import { relevanceMass, relevanceRank } from './relevance.ts';
import { abpc, aid, aopc, deletion, insertion, lerf, morf } from './removal-metrics.ts';
import { road } from './road.ts';
import { saco } from './saco.ts';
import { seedStability } from './seed-stability.ts';
import { sensitivityN } from './sensitivity-n.ts';

/** The table, category by category. Each key is its entry's name. */
const table = {
  'cosine-drop': cosineDrop,
  'cosine-increase': cosineIncrease,
  'text-cosine-drop': textCosineDrop,
  'text-cosine-increase': textCosineIncrease,
  'nib-text-drop': nibTextDrop,
  'nib-text-increase': nibTextIncrease,
  'iou-at-threshold': iouAtThreshold,
  insertion,
  deletion,
  aid,
  morf,
  lerf,
  abpc,
  aopc,
  'pixel-insertion': pixelInsertion,
  'pixel-deletion': pixelDeletion,
  road,
  'average-drop': averageDrop,
  'increase-in-confidence': increaseInConfidence,
  'p-faithfulness': pFaithfulness,
  'sensitivity-n': sensitivityN,
  infidelity,
  saco,
  'pointing-game': pointingGame,
  'energy-pointing-game': energyPointingGame,
  'grid-pointing-game': gridPointingGame,
  'relevance-mass': relevanceMass,
  'relevance-rank': relevanceRank,
  iou,
  'pixel-auc': pixelAuc,
  'pixel-ap': pixelAp,
  pgr,
  'max-sensitivity': maxSensitivity,
  'seed-stability': seedStability,
  'parameter-randomisation': parameterRandomisation,
  'prompt-randomisation': promptRandomisation,
  'matched-against-shuffled': matchedAgainstShuffled,
  entropy,
  gini,
  'effective-complexity': effectiveComplexity,
  'forward-passes': forwardPasses,
  'backward-passes': backwardPasses,
  seconds,
  'peak-memory': peakMemory,
};

/** Names of the metrics that come with Narrows. */
export type MetricName = keyof typeof table;

/** Options of a metric, all of which have defaults. */
export type MetricOptions<N extends MetricName> = (typeof table)[N] extends MetricEntry<infer O> ? Partial<O> : never;

// Entries differ in their options; the list sees them as records, which each entry's schema checks.
const all = Object.values(table) as unknown as MetricEntry[];

/** All metrics, category by category; those of plug-ins at the end. */
export const metrics: readonly MetricEntry[] = all;

/** The entry called `name`, or undefined. */
export const findMetric = (name: string): MetricEntry | undefined => all.find(m => m.name === name);

/**
 * A metric ready to take maps, one after the other.
 * @param metric its name, or an entry (`findMetric`, one's own)
 * @throws NarrowsError for an option that is unknown or out of range
 * @example
 * const metric = createMetric('energy-pointing-game');
 * const map = Float32Array.of(3, 1, 0, 0);
 * const truth = Uint8Array.of(1, 1, 0, 0);
 * await metric.update({ modality: 'image', map, grid: [2, 2], size: [2, 2], truth, key: 0 }); // 1: all of it is on the thing
 * metric.summary().estimate;
 */
export function createMetric<N extends MetricName>(metric: N, options?: MetricOptions<N>): Metric;
export function createMetric(metric: MetricEntry, options?: Record<string, unknown>): Metric;
export function createMetric(metric: string | MetricEntry, options: object = {}): Metric {
  const entry = typeof metric === 'string' ? findMetric(metric) : metric;
  if (!entry) throw new NarrowsError(`There is no metric "${metric}"; see \`metrics\` for the names.`, { kind: 'usage' });
  return new StreamingMetric(entry, parseOptions(entry.schema, options, entry.name) as Record<string, unknown>);
}

/**
 * Adds a metric of one's own to the table: `findMetric`, comparisons and the command line then know it. Adding the same entry again does
 * nothing.
 * @throws NarrowsError for a name that is taken
 */
export function registerMetric<O>(entry: MetricEntry<O>): MetricEntry<O> {
  const known = findMetric(entry.name);
  if ((known as unknown) === entry) return entry;
  if (known) throw new NarrowsError(`There is a metric "${entry.name}" already; give yours another name.`);
  all.push(entry as unknown as MetricEntry);
  return entry;
}
