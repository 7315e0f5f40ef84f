/** @file What a measurement of EMI came to: plain data, as JSON, as CSV, and as rows of a table. */
import type { Correlation } from '../../tensor/statistics/pearson-interval.ts';
import type { ClubForm } from './club-estimator.ts';
import type { Joining } from './embedding.ts';
import type { Emi, EmidDivergences } from './emid.ts';

/** A value with an interval over items, clustered by picture. */
export interface Ranged {
  readonly value: number;
  readonly standardError: number;
  readonly low: number;
  readonly high: number;
}

/** EMI of one set. Nats, as far as the estimator is good. */
export interface EmiSetResult extends Emi {
  readonly name: string;
  readonly items: number;
  /** Groups of items that share a picture or a question. */
  readonly clusters: number;
  /** Of `emi`; the estimator is taken as given. */
  readonly interval: Ranged;
  /** How much better the estimator predicts the references than their mean does, nats per item; at or below 0 its value bounds nothing. */
  readonly likelihoodGain: number;
  /** Mean score of the answers, where all have one. */
  readonly accuracy?: number;
}

/** A shifted set against the source. */
export interface EmidResult extends EmiSetResult {
  readonly emid: Ranged;
  /** Whether the interval of EMID pairs items of both sets; otherwise they count as independent. */
  readonly paired: boolean;
  readonly divergences: EmidDivergences;
  /** See `emidBound`: the scaled form. */
  readonly bound: number;
  /** The theorem's form, where an entropy factor was given. */
  readonly boundWithEntropy?: number;
  /** Accuracy of the source less that of this set. */
  readonly accuracyLost?: number;
}

/** A whole measurement. */
export interface EmiResults {
  readonly schemaVersion: 1;
  readonly encoders: { readonly pictures: string; readonly texts: string; readonly joining: Joining };
  readonly estimator: {
    /** `given`: nothing was trained. */
    readonly kind: 'given' | 'trained';
    readonly folds: number;
    readonly units: number;
    readonly steps?: number;
    readonly learningRate?: number;
    readonly batchSize?: number;
    readonly seed?: number;
    /** Pairs that were trained on. */
    readonly pairs?: number;
    readonly form: ClubForm;
  };
  readonly weights: 'equal' | 'size';
  readonly entropy?: number;
  readonly source: EmiSetResult;
  readonly targets: readonly EmidResult[];
  /** Over targets. */
  readonly correlations: {
    readonly emidAndBound?: Correlation;
    readonly emidAndAccuracyLost?: Correlation;
    readonly boundAndAccuracyLost?: Correlation;
  };
  /** What was assumed, left out, or makes values doubtful, in sentences. */
  readonly warnings: readonly string[];
}

const COLUMNS = [
  'set',
  'items',
  'mi_model',
  'mi_reference',
  'emi',
  'emi_low',
  'emi_high',
  'emid',
  'emid_low',
  'emid_high',
  'bound',
  'jsd_visual',
  'jsd_text',
  'jsd_source_output',
  'jsd_target_output',
  'accuracy',
] as const;

/** A row per set, the source first; cells that do not apply are empty. */
export function emiRows({ source, targets }: EmiResults): { readonly header: readonly string[]; readonly rows: (string | number)[][] } {
  const row = (set: EmiSetResult & Partial<EmidResult>): (string | number)[] => [
    set.name,
    set.items,
    set.model,
    set.reference,
    set.emi,
    set.interval.low,
    set.interval.high,
    ...(set.emid && set.divergences
      ? [set.emid.value, set.emid.low, set.emid.high, set.bound!, ...Object.values(set.divergences)]
      : Array<string>(8).fill('')),
    set.accuracy ?? '',
  ];
  return { header: COLUMNS, rows: [source, ...targets].map(row) };
}

/** The rows as CSV; values that are not defined are empty. */
export function emiCsv(results: EmiResults): string {
  const cell = (value: string | number): string => {
    if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value);
    return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  const { header, rows } = emiRows(results);
  return [header, ...rows].map(line => `${line.map(cell).join(',')}\n`).join('');
}
