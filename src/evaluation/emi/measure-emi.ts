/** @file EMI of a clean set and of shifted ones, EMID, its bound, and whether they go together: from items to results. */
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { clusteredStandardError, mean } from '../../tensor/statistics/descriptive.ts';
import { type Correlation, correlate } from '../../tensor/statistics/pearson-interval.ts';
import { studentHalfWidth } from '../../tensor/statistics/student-t.ts';
import type { RjsdOptions } from '../distances/rjsd.ts';
import type { ClubEstimator, ClubForm } from './club-estimator.ts';
import { emidBound, emidDivergences, emidOf, emiOf } from './emid.ts';
import type { EmiEncoders } from './encoders.ts';
import { type EstimatorOptions, fitEstimators, informationTerms, likelihoodGain } from './estimate.ts';
import { groupItems, sameQuestion } from './groups.ts';
import type { EmidResult, EmiResults, EmiSetResult, Ranged } from './results.ts';
import { type EmbeddedItems, type EmiSet, embedSet } from './sets.ts';

/** How EMI is measured. Without any of it: five cross-fitted estimators, equal weights, the scaled bound. */
export interface EmiOptions extends EstimatorOptions, RjsdOptions {
  readonly form?: ClubForm;
  /** Entropy factor of the theorem's bound, nats; both forms of the bound are given then. */
  readonly entropy?: number;
  /** Of intervals; default 0.95. */
  readonly level?: number;
  /** What goes on, for a status line. */
  readonly onStage?: (what: string) => void;
  /** The estimators, once they are trained; awaited. */
  readonly onFitted?: (estimators: readonly ClubEstimator[]) => Promise<void>;
}

/** Items below which values are mostly noise: published estimators stand on more than 10 000 pairs. */
const FEW = 500;

interface Measured {
  readonly set: EmiSet;
  readonly embedded: EmbeddedItems;
  readonly groups: readonly string[];
}

function ranged(terms: ArrayLike<number>, groups: readonly string[], level: number): Ranged {
  const value = mean(terms);
  const standardError = clusteredStandardError(terms, groups);
  const half = standardError * studentHalfWidth(level, new Set(groups).size - 1);
  return { value, standardError, low: value - half, high: value + half };
}

/** EMID's interval: over pairs where both sets have the same questions, else by the root of the summed squares. */
function emidRange(source: Measured & { terms: Float64Array }, target: Measured & { terms: Float64Array }, level: number) {
  const places = new Map(source.set.items.map((item, i) => [sameQuestion(item), i]));
  const partners = target.set.items.map(item => places.get(sameQuestion(item)));
  if (
    places.size === source.set.items.length &&
    partners.length === places.size &&
    new Set(partners).size === places.size &&
    !partners.includes(undefined)
  ) {
    const differences = target.terms.map((value, i) => source.terms[partners[i]!] - value);
    return { emid: ranged(differences, target.groups, level), paired: true };
  }
  const [a, b] = [ranged(source.terms, source.groups, level), ranged(target.terms, target.groups, level)];
  const standardError = Math.hypot(a.standardError, b.standardError);
  const value = a.value - b.value;
  const half = standardError * studentHalfWidth(level, Math.min(new Set(source.groups).size, new Set(target.groups).size) - 1);
  return { emid: { value, standardError, low: value - half, high: value + half }, paired: false };
}

const accuracyOf = ({ items }: EmiSet): number | undefined =>
  items.every(({ score }) => score !== undefined) ? mean(items.map(({ score }) => score!)) : undefined;

function correlationOf(x: readonly number[], y: readonly (number | undefined)[], level: number): Correlation | undefined {
  if (x.length < 3 || y.includes(undefined)) return undefined;
  return correlate(x, y as number[], level);
}

/**
 * Measures EMI of a source and its targets.
 * @throws NarrowsError for no targets, sets without items or pictures, an estimator of another width; the signal's reason when it aborts
 */
export async function measureEmi(
  runtime: Runtime,
  encoders: EmiEncoders,
  source: EmiSet,
  targets: readonly EmiSet[],
  options: EmiOptions = {},
): Promise<EmiResults> {
  const { form = 'closed', entropy, level = 0.95, weights = 'equal', onStage, onFitted, signal, ...fitting } = options;
  if (targets.length === 0) throw new NarrowsError('EMID compares a source with shifted sets; name at least one target.');
  const sets = [source, ...targets];
  const groups = groupItems(sets.map(set => set.items));
  const measured: Measured[] = [];
  for (const [i, set] of sets.entries()) {
    onStage?.(`embedding ${set.name} (${i + 1} of ${sets.length})`);
    measured.push({ set, embedded: await embedSet(encoders, set, signal), groups: groups[i] });
  }
  onStage?.('training the estimator');
  const pairs = {
    groups: groups.flat(),
    z: measured.flatMap(({ embedded }) => [...embedded.z]),
    y: measured.flatMap(({ embedded }) => [...embedded.reference]),
  };
  const estimators = await fitEstimators(runtime, pairs, { ...fitting, signal });
  await onFitted?.(estimators.folds);
  const judged: (Measured & { terms: Float64Array; result: EmiSetResult })[] = [];
  for (const one of measured) {
    onStage?.(`EMI of ${one.set.name}`);
    const prediction = await estimators.predict(one.embedded.z, one.groups);
    const { model, reference } = await informationTerms(runtime, prediction, one.embedded, form);
    const terms = model.map((value, i) => value - reference[i]);
    const accuracy = accuracyOf(one.set);
    const result: EmiSetResult = {
      name: one.set.name,
      items: terms.length,
      clusters: new Set(one.groups).size,
      ...emiOf(mean(model), mean(reference)),
      interval: ranged(terms, one.groups, level),
      likelihoodGain: likelihoodGain(prediction, one.embedded.reference),
      ...(accuracy === undefined ? {} : { accuracy }),
    };
    judged.push({ ...one, terms, result });
  }
  const [clean, ...shifted] = judged;
  const results: EmidResult[] = [];
  for (const target of shifted) {
    signal?.throwIfAborted();
    onStage?.(`divergences of ${target.set.name}`);
    const divergences = emidDivergences(clean.embedded, target.embedded, { weights });
    const range = emidRange(clean, target, level);
    const [before, after] = [clean.result.accuracy, target.result.accuracy];
    results.push({
      ...target.result,
      ...range,
      emid: { ...range.emid, value: emidOf(clean.result, target.result) },
      divergences,
      bound: emidBound(divergences),
      ...(entropy === undefined ? {} : { boundWithEntropy: emidBound(divergences, entropy) }),
      ...(before === undefined || after === undefined ? {} : { accuracyLost: before - after }),
    });
  }
  const [emids, bounds, lost] = [
    results.map(r => r.emid.value),
    results.map(r => r.boundWithEntropy ?? r.bound),
    results.map(r => r.accuracyLost),
  ];
  const { sizes } = estimators.folds[0];
  const { steps = 300, learningRate = 1e-3, batchSize = 2048, seed = 0 } = fitting;
  const trained = { steps, learningRate, batchSize, seed, pairs: pairs.z.length };
  return {
    schemaVersion: 1,
    encoders: { pictures: encoders.pictures.name, texts: encoders.texts.name, joining: encoders.joining },
    estimator: {
      kind: fitting.estimator ? 'given' : 'trained',
      folds: estimators.folds.length,
      units: sizes.units,
      ...(fitting.estimator ? {} : trained),
      form,
    },
    weights,
    ...(entropy === undefined ? {} : { entropy }),
    source: clean.result,
    targets: results,
    correlations: {
      emidAndBound: correlationOf(emids, bounds, level),
      emidAndAccuracyLost: correlationOf(emids, lost, level),
      boundAndAccuracyLost: correlationOf(bounds, lost, level),
    },
    warnings: [
      ...new Set([
        ...encoders.warnings,
        ...measured.flatMap(m => [...(m.set.warnings ?? []), ...m.embedded.warnings]),
        ...cautions(
          judged.map(j => j.result),
          estimators.folds.length,
          Boolean(fitting.estimator),
        ),
      ]),
    ],
  };
}

/** What makes values doubtful, in sentences. */
function cautions(results: readonly EmiSetResult[], folds: number, given: boolean): string[] {
  const out: string[] = [];
  const list = (of: readonly EmiSetResult[]): string => {
    const names = of.slice(0, 3).map(r => r.name);
    return `${names.join(', ')}${of.length > 3 ? ` and ${of.length - 3} more` : ''}`;
  };
  const few = results.filter(r => r.items < FEW);
  if (few.length)
    out.push(
      `EMI of few items is mostly noise: ${list(few)} ${few.length > 1 ? 'have' : 'has'} fewer than ${FEW} (look at the intervals).`,
    );
  const uneven = results.filter(r => r.items !== results[0].items);
  if (uneven.length)
    out.push(
      `Sets are of unequal size (${results[0].name} has ${results[0].items} items, ${uneven[0].name} ${uneven[0].items}): EMID compares other questions, too.`,
    );
  const negative = results.filter(r => r.model < 0 || r.reference < 0);
  if (negative.length)
    out.push(
      `Mutual information came out negative for ${list(negative)}: the estimator does not fit these pairs, and its value is no upper bound.`,
    );
  const blind = results.filter(r => r.likelihoodGain <= 0);
  if (blind.length)
    out.push(
      `The estimator predicts references of ${list(blind)} no better than their mean does; train it on more pairs or for fewer steps.`,
    );
  if (folds === 1 && !given)
    out.push(
      'One estimator was trained on the very pairs that it judges, as published: information with references comes out too high, EMI too low.',
    );
  return out;
}
