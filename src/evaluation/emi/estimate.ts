/** @file The estimator of a measurement: a given one, one trained on all pairs (as published), or several, each blind to the items it judges. */
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { hashName } from '../../tensor/random.ts';
import type { Rows } from '../distances/rows.ts';
import { type ClubEstimator, type ClubForm, type ClubPrediction, clubInformation, clubPredict, freshClub } from './club-estimator.ts';
import { type ClubTraining, trainClub } from './club-train.ts';

/** Pairs that an estimator learns from or judges. */
export interface ClubPairs {
  /** Fold by it: items that belong together (one question under several shifts, questions on one picture) are never on both sides. */
  readonly groups: readonly string[];
  readonly z: Rows;
  /** References. */
  readonly y: Rows;
}

/** How estimators are made. */
export interface EstimatorOptions extends Omit<ClubTraining, 'onStep'> {
  /** Units of the hidden layers; default 250. */
  readonly units?: number;
  /**
   * Estimators are trained so many times, each without a share of the groups, which it then judges. 1 trains one on all pairs, which then
   * judges pairs that it has seen, as published: its values for references come out too high. Default 5.
   */
  readonly folds?: number;
  /** A given estimator, or those of an earlier measurement over the same questions, fold by fold; nothing is trained. */
  readonly estimator?: ClubEstimator | readonly ClubEstimator[];
}

/** Judges items of any set. */
export interface FittedEstimators {
  readonly folds: readonly ClubEstimator[];
  predict(z: Rows, groups: readonly string[]): Promise<ClubPrediction>;
}

const foldOf = (group: string, folds: number): number => hashName(group) % folds;

/** Trains what `options` ask for. @throws NarrowsError for fewer groups than folds, and as `trainClub` */
export async function fitEstimators(runtime: Runtime, pairs: ClubPairs, options: EstimatorOptions = {}): Promise<FittedEstimators> {
  const { units = 250, folds = 5, estimator, ...training } = options;
  const fitted = estimator ? [estimator].flat() : await train();
  return { folds: fitted, predict: (z, groups) => predict(runtime, fitted, z, groups) };

  async function train(): Promise<ClubEstimator[]> {
    const [input, output] = [pairs.z[0]?.length ?? 0, pairs.y[0]?.length ?? 0];
    const known = new Set(pairs.groups.map(group => foldOf(group, folds)));
    if (folds > 1 && known.size < folds)
      throw new NarrowsError(`The items fall into ${known.size} of ${folds} folds; measure more items, or ask for fewer folds.`);
    const out: ClubEstimator[] = [];
    for (let fold = 0; fold < folds; fold++) {
      const kept = pairs.groups.flatMap((group, i) => (folds === 1 || foldOf(group, folds) !== fold ? [i] : []));
      const fresh = freshClub({ input, output, units }, training.seed);
      await trainClub(
        runtime,
        fresh,
        kept.map(i => pairs.z[i]),
        kept.map(i => pairs.y[i]),
        training,
      );
      out.push(fresh);
    }
    return out;
  }
}

/** Each row by the estimator that has not seen its group. */
async function predict(runtime: Runtime, fitted: readonly ClubEstimator[], z: Rows, groups: readonly string[]): Promise<ClubPrediction> {
  const mu = new Array<ArrayLike<number>>(z.length);
  const logvar = new Array<ArrayLike<number>>(z.length);
  for (const [fold, estimator] of fitted.entries()) {
    const places = groups.flatMap((group, i) => (fitted.length === 1 || foldOf(group, fitted.length) === fold ? [i] : []));
    if (places.length === 0) continue;
    const part = await clubPredict(
      runtime,
      estimator,
      places.map(i => z[i]),
    );
    places.forEach((place, i) => {
      mu[place] = part.mu[i];
      logvar[place] = part.logvar[i];
    });
  }
  return { mu, logvar };
}

/**
 * How much better than their mean the estimators predict rows of y, nats per item of log-likelihood: what the predictions add, where the mean
 * gets the variance that suits it within the heads' limits. At or below 0 their value bounds nothing.
 */
export function likelihoodGain({ mu, logvar }: ClubPrediction, y: Rows): number {
  const [n, width] = [y.length, y[0].length];
  let gain = 0;
  for (let k = 0; k < width; k++) {
    let centre = 0;
    for (let i = 0; i < n; i++) centre += y[i][k] / n;
    let spread = 0;
    for (let i = 0; i < n; i++) spread += (y[i][k] - centre) ** 2 / n;
    const constant = Math.min(1, Math.max(-1, Math.log(spread)));
    for (let i = 0; i < n; i++)
      gain += (spread / Math.exp(constant) + constant - (y[i][k] - mu[i][k]) ** 2 / Math.exp(logvar[i][k]) - logvar[i][k]) / (2 * n);
  }
  return gain;
}

/** What each item adds to MI with answers and with references. */
export async function informationTerms(
  runtime: Runtime,
  prediction: ClubPrediction,
  parts: { readonly answer: Rows; readonly reference: Rows },
  form?: ClubForm,
): Promise<{ readonly model: Float64Array; readonly reference: Float64Array }> {
  const model = await clubInformation(runtime, prediction, parts.answer, form);
  return { model, reference: await clubInformation(runtime, prediction, parts.reference, form) };
}
