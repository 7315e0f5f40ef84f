/** @file The plan of a ROAR+ run: for each map the pairs without what it holds highest, retrieval on them, and a training per seed. */
import type { Task } from '../../jobs/cell.ts';
import { TOGETHER } from './folder.ts';

/** Name under which nothing is taken away. */
export const UNTOUCHED = 'untouched';

/** What determines a run besides the names of the methods and the number of seeds, which may grow. */
export interface RoarSpec {
  readonly methods: readonly string[];
  readonly modality: 'image' | 'text';
  readonly percentile: number;
  readonly seed: number;
  readonly seeds: number;
  readonly samples: number;
  readonly validationSamples: number;
  /** Updates of each training; 0: zero-shot only. */
  readonly maxSteps: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** One piece of work. */
export type RoarJob =
  | { readonly kind: 'pairs'; readonly name: string; readonly split: 'train' | 'validation'; readonly from: number }
  | { readonly kind: 'zero-shot'; readonly name: string }
  | { readonly kind: 'training'; readonly name: string; readonly seed: number };

/** Name of a piece of work in the store. @param run key of everything that determines the run */
export function roarKey(run: string, job: RoarJob): string {
  if (job.kind === 'pairs') return `${run}/${job.name}/${job.split}/${job.from}`;
  return job.kind === 'zero-shot' ? `${run}/${job.name}/zero-shot` : `${run}/${job.name}/training/${job.seed}`;
}

/** Chunks of a split. */
export const chunksOf = (spec: RoarSpec, name: string, split: 'train' | 'validation'): RoarJob[] => {
  const samples = split === 'train' ? spec.samples : spec.validationSamples;
  return Array.from({ length: Math.ceil(samples / TOGETHER) }, (_, i) => ({ kind: 'pairs', name, split, from: i * TOGETHER }));
};

/** Pairs of a chunk. */
const unitsOf = (job: RoarJob, spec: RoarSpec): number =>
  job.kind === 'pairs' ? Math.min(TOGETHER, (job.split === 'train' ? spec.samples : spec.validationSamples) - job.from) : 0;

/** Everything, map by map, what others stand on first; units are pairs that are drawn, judged or trained on. */
export function planRoar(run: string, spec: RoarSpec): Task<RoarJob>[] {
  // Maps of different methods take differently long; trainings and retrieval do not depend on them.
  const kindOf = (job: RoarJob): string =>
    job.kind === 'pairs' ? `pairs of ${job.name}` : job.kind === 'training' ? 'trainings' : 'zero-shot retrieval';
  const task = (input: RoarJob, units: number): Task<RoarJob> => ({ input, keys: [roarKey(run, input)], units, kind: kindOf(input) });
  return [UNTOUCHED, ...spec.methods].flatMap(name => [
    ...(['train', 'validation'] as const).flatMap(split => chunksOf(spec, name, split).map(job => task(job, unitsOf(job, spec)))),
    task({ kind: 'zero-shot', name }, spec.validationSamples),
    ...Array.from({ length: spec.maxSteps > 0 ? spec.seeds : 0 }, (_, seed) =>
      task({ kind: 'training', name, seed }, spec.maxSteps * spec.batchSize),
    ),
  ]);
}
