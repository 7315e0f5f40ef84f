/**
 * @file From the values of a comparison to its tables. Seeds are averaged within a pair, pairs (or clusters of pairs) are the sample: BCa
 * intervals over pairs, paired differences to the reference and to the best, two tests, Holm over the methods of a metric.
 */

import { type ComparisonResults, checkResults, type ResultMetric, type ResultPart } from '../../evaluation/compare/results.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import { MeanBootstrap } from '../../tensor/statistics/mean-bootstrap.ts';
import { type PairedEffect, pairedEffect, varianceComponents } from '../../tensor/statistics/paired-effect.ts';
import { signFlipTest } from '../../tensor/statistics/permutation.ts';
import { ranks } from '../../tensor/statistics/rank.ts';
import { wilcoxon } from '../../tensor/statistics/wilcoxon.ts';

/** How `analyse` works. */
export interface AnalyseOptions {
  /** Of the bootstrap; default 2000. */
  readonly resamples?: number;
  /** Sign patterns of the permutation tests; default 9999. */
  readonly flips?: number;
  /** Chance of any false finding within a metric; default 0.05. */
  readonly alpha?: number;
  /** Seed of resamples and flips; default 0. */
  readonly seed?: number;
}

/** What a test of a method against another says, in the metric's direction. `unknown`: no common pairs, or no direction. */
export type Verdict = 'better' | 'worse' | 'alike' | 'unknown';

/** A method against another, on the pairs where both have a value. */
export interface PairedComparison {
  readonly pairs: number;
  /** Mean of method - other over pairs, in the metric's unit. */
  readonly difference: Estimate;
  readonly wilcoxon: number;
  readonly wilcoxonHolm: number;
  readonly signFlip: number;
  readonly signFlipHolm: number;
  readonly effect: PairedEffect;
  /** From the corrected sign-flip test, which tests the mean that the table shows. */
  readonly verdict: Verdict;
}

/** A method's row in a metric's table. */
export interface MethodRow {
  readonly method: string;
  /** Mean over pairs, or over clusters of pairs where there are any; NaN when none has a value. */
  readonly value: Estimate;
  /** Pairs with a value, and without any though the method ran on them. */
  readonly pairs: number;
  readonly undefinedPairs: number;
  /** NaN among the single values. */
  readonly nanCount: number;
  readonly seeds: number;
  /** Standard deviation over seeds within a pair; NaN with one seed. */
  readonly seedSpread: number;
  /** Judged on clearly fewer pairs than others are, so its mean is no match for theirs: it is not ranked. Paired differences still hold. */
  readonly partial: boolean;
  /** 1 is best; ties share mean ranks; undefined without a value or direction, and where `partial`. */
  readonly rank?: number;
  /** The best mean of the table. */
  readonly best: boolean;
  /** Against the reference; the reference itself has none. */
  readonly toReference?: PairedComparison;
  /** Against the best; `alike` earns a dagger. */
  readonly toBest?: PairedComparison;
}

/** A metric's table. */
export interface MetricTable {
  readonly metric: ResultMetric;
  readonly best?: string;
  /** In the order of the methods; a method that was not judged by the metric is not there. */
  readonly rows: readonly MethodRow[];
}

/** Tables of a part. */
export interface PartAnalysis {
  readonly part: ResultPart;
  readonly tables: readonly MetricTable[];
  /**
   * By method: mean place, 0 for best and 1 for last, over metrics of faithfulness and localisation (over all with a direction where there are
   * none of these). A method that is not ranked by all of these metrics has none: its mean would be over other metrics than that of the others.
   */
  readonly meanRank: Readonly<Record<string, number>>;
}

/** The whole. */
export interface Analysis {
  readonly results: ComparisonResults;
  readonly level: number;
  readonly alpha: number;
  readonly resamples: number;
  readonly flips: number;
  readonly parts: readonly PartAnalysis[];
}

interface Column {
  /** Per pair the mean over seeds that have a value; NaN without one. */
  readonly means: Float64Array;
  readonly row: Omit<MethodRow, 'rank' | 'partial' | 'best' | 'toReference' | 'toBest'>;
}

type Tested = Omit<PairedComparison, 'wilcoxonHolm' | 'signFlipHolm' | 'verdict'>;

/** @throws NarrowsError for results that contradict themselves */
export function analyse(results: ComparisonResults, options: AnalyseOptions = {}): Analysis {
  checkResults(results);
  const { resamples = 2000, flips = 9999, alpha = 0.05, seed = 0 } = options;
  const tools = new Tools(seed, resamples, flips, alpha);
  const parts = results.parts.map(part => {
    const tables = results.metrics
      .filter(metric => part.values[metric.name] !== undefined)
      .map(metric => metricTable(results, part, metric, tools.of(part)));
    return { part, tables, meanRank: meanRanks(tables) };
  });
  return { results, level: 0.95, alpha, resamples, flips, parts };
}

class Tools {
  readonly values: MeanBootstrap;
  private readonly flipStream: RandomStream;
  /** By pair, the number of its cluster; undefined where every pair stands for itself. */
  private clusters: number[] | undefined;

  constructor(
    seed: number,
    resamples: number,
    private readonly flips: number,
    readonly alpha: number,
  ) {
    this.values = new MeanBootstrap({ random: new RandomStream(seed, 'report bootstrap'), resamples });
    this.flipStream = new RandomStream(seed, 'report sign flips');
  }

  /** Sets the clusters of a part. */
  of({ pairs }: ResultPart): this {
    const numbers = new Map<string, number>();
    const names = pairs.map(({ cluster }, i) => (cluster === undefined ? `pair ${i}` : `cluster ${cluster}`));
    for (const name of names) if (!numbers.has(name)) numbers.set(name, numbers.size);
    this.clusters = numbers.size < pairs.length ? names.map(name => numbers.get(name)!) : undefined;
    return this;
  }

  /** Independent observations: values that are there, or the means of clusters that have any. */
  observations(values: Float64Array): Float64Array {
    if (!this.clusters) return values.filter(v => !Number.isNaN(v));
    const totals = new Map<number, [total: number, count: number]>();
    values.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      const [total, count] = totals.get(this.clusters![i]) ?? [0, 0];
      totals.set(this.clusters![i], [total + value, count + 1]);
    });
    return Float64Array.from(totals.values(), ([total, count]) => total / count);
  }

  compare(a: Float64Array, b: Float64Array): Tested {
    const all = a.map((v, i) => v - b[i]);
    const differences = this.observations(all);
    return {
      pairs: all.filter(d => !Number.isNaN(d)).length,
      difference: this.values.interval(differences),
      wilcoxon: wilcoxon(differences).pValue,
      signFlip: signFlipTest(differences, { random: this.flipStream, resamples: this.flips }).pValue,
      effect: pairedEffect(differences),
    };
  }
}

function column(method: string, rows: readonly (readonly number[])[], tools: Tools): Column {
  const means = new Float64Array(rows.length).fill(Number.NaN);
  let [nanCount, undefinedPairs, seeds] = [0, 0, 0];
  rows.forEach((row, p) => {
    seeds = Math.max(seeds, row.length);
    const known = row.filter(v => !Number.isNaN(v));
    nanCount += row.length - known.length;
    if (known.length > 0) means[p] = known.reduce((a, b) => a + b, 0) / known.length;
    else if (row.length > 0) undefinedPairs++;
  });
  const pairs = means.filter(v => !Number.isNaN(v)).length;
  const value = tools.values.interval(tools.observations(means));
  const seedSpread = varianceComponents(rows).within;
  return {
    means,
    row: { method, value, pairs, undefinedPairs, nanCount, seeds, seedSpread },
  };
}

/** Share of the pairs on which a method must have been judged to be ranked with the others. */
const ENOUGH = 0.9;

function metricTable(results: ComparisonResults, part: ResultPart, metric: ResultMetric, tools: Tools): MetricTable {
  const columns = results.methods.flatMap(({ name }) => {
    const rows = part.values[metric.name][name];
    return rows ? [column(name, rows, tools)] : [];
  });
  const sign = { higher: -1, lower: 1, none: 0 }[metric.direction];
  const judged = (c: Column): number => c.row.pairs + c.row.undefinedPairs;
  const most = columns.reduce((top, c) => Math.max(top, judged(c)), 0);
  // Times are one figure per block of pairs, of warm runs: fewer of them say the same.
  const partial = (c: Column): boolean => metric.category !== 'cost' && judged(c) < ENOUGH * most;
  const ranked = sign === 0 ? [] : columns.filter(c => Number.isFinite(c.row.value.estimate) && !partial(c));
  const rankOf = new Map(Array.from(ranks(ranked.map(c => sign * c.row.value.estimate)), (rank, i) => [ranked[i].row.method, rank]));
  // Ties for the first place are best together; the first in the table's order stands for them in tests.
  const best = ranked.toSorted((a, b) => rankOf.get(a.row.method)! - rankOf.get(b.row.method)!)[0];
  const against = (other: Column | undefined): Map<string, PairedComparison> => {
    if (!other) return new Map();
    const rivals = columns.filter(c => c !== other);
    const tested = rivals.map(c => tools.compare(c.means, other.means));
    const wilcoxonHolm = holm(tested.map(t => t.wilcoxon));
    const signFlipHolm = holm(tested.map(t => t.signFlip));
    return new Map(
      tested.map((t, i) => {
        const verdict = verdictOf(t.difference.estimate, signFlipHolm[i], sign, tools.alpha);
        return [rivals[i].row.method, { ...t, wilcoxonHolm: wilcoxonHolm[i], signFlipHolm: signFlipHolm[i], verdict }];
      }),
    );
  };
  const reference = columns.find(c => c.row.method === results.reference);
  const toReference = against(reference);
  const toBest = best && best === reference ? toReference : against(best);
  return {
    metric,
    best: best?.row.method,
    rows: columns.map(c => ({
      ...c.row,
      partial: partial(c),
      rank: rankOf.get(c.row.method),
      best: best !== undefined && rankOf.get(c.row.method) === rankOf.get(best.row.method),
      toReference: toReference.get(c.row.method),
      toBest: toBest.get(c.row.method),
    })),
  };
}

function verdictOf(difference: number, p: number, sign: number, alpha: number): Verdict {
  if (sign === 0 || !Number.isFinite(difference) || Number.isNaN(p)) return 'unknown';
  if (p > alpha || difference === 0) return 'alike';
  return Math.sign(difference) === -sign ? 'better' : 'worse';
}

/** Categories on which a method stands or falls. */
const MAIN = new Set(['faithfulness', 'localisation']);

function meanRanks(tables: readonly MetricTable[]): Record<string, number> {
  const ranked = tables.filter(t => t.best !== undefined);
  const main = ranked.filter(t => MAIN.has(t.metric.category));
  const totals = new Map<string, [total: number, count: number]>();
  const counted = main.length > 0 ? main : ranked;
  for (const { rows } of counted) {
    const count = rows.filter(row => row.rank !== undefined).length;
    for (const { method, rank } of rows) {
      if (rank === undefined) continue;
      const [total, seen] = totals.get(method) ?? [0, 0];
      // As a share, so that metrics that judge fewer methods weigh the same: 0 is best, 1 is last.
      totals.set(method, [total + (count > 1 ? (rank - 1) / (count - 1) : 0), seen + 1]);
    }
  }
  return Object.fromEntries([...totals].flatMap(([method, [total, seen]]) => (seen === counted.length ? [[method, total / seen]] : [])));
}
