/** @file All metrics. The command line, reports, docs and tests read this table; nothing is listed twice. */
import { parseOptions } from '../../attribution/options.ts';
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

// Entries differ in their options; the table sees them as records, which each entry's schema checks.
const entry = <O>(one: MetricEntry<O>): MetricEntry => one as unknown as MetricEntry;

/** The table, category by category. */
export const metrics: readonly MetricEntry[] = [
  ...[entry(cosineDrop), entry(cosineIncrease), textCosineDrop, textCosineIncrease, nibTextDrop, nibTextIncrease],
  entry(iouAtThreshold),
  ...[entry(insertion), entry(deletion), entry(aid), entry(morf), entry(lerf), entry(abpc), entry(aopc)],
  ...[entry(pixelInsertion), entry(pixelDeletion), entry(road), entry(averageDrop), entry(increaseInConfidence)],
  ...[entry(pFaithfulness), entry(sensitivityN), entry(infidelity), entry(saco)],
  ...[entry(pointingGame), energyPointingGame, gridPointingGame, entry(relevanceMass), entry(relevanceRank)],
  ...[entry(iou), pixelAuc, pixelAp, pgr],
  ...[entry(maxSensitivity), entry(seedStability)],
  ...[entry(parameterRandomisation), entry(promptRandomisation), matchedAgainstShuffled],
  ...[entropy, gini, entry(effectiveComplexity)],
  ...[forwardPasses, backwardPasses, seconds, peakMemory],
];

/** The entry called `name`, or undefined. */
export const findMetric = (name: string): MetricEntry | undefined => metrics.find(m => m.name === name);

/** A metric ready to take maps. @throws NarrowsError for an option that is unknown or out of range */
export function createMetric(entry: MetricEntry, options: Record<string, unknown> = {}): Metric {
  return new StreamingMetric(entry, parseOptions(entry.schema, options, entry.name) as Record<string, unknown>);
}
