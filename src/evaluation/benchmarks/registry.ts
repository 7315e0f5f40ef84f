/** @file All benchmarks. The command line, docs and tests read this table; nothing is listed twice. */
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { Benchmark } from './benchmark.ts';
import { mme } from './mme.ts';
import { pope } from './pope.ts';
import { scenesPope } from './scenes-pope.ts';

/** The table; each key is its entry's name. */
const table = {
  pope,
  mme,
  'scenes-pope': scenesPope,
} as const satisfies Readonly<Record<string, Benchmark>>;

/** Name of a benchmark. */
export type BenchmarkName = keyof typeof table;

/** All benchmarks, in the order of tables. */
export const benchmarks: readonly Benchmark[] = Object.values(table);

/** A benchmark by its name. @throws NarrowsError with the nearest names for one that is not known */
export function findBenchmark(name: string): Benchmark {
  const wanted = name.trim().toLowerCase().replaceAll('_', '-');
  const found = benchmarks.find(one => one.name === wanted || one.title.toLowerCase() === wanted);
  if (found) return found;
  const names = benchmarks.map(one => one.name);
  throw new NarrowsError(`There is no benchmark "${name}": ${didYouMean(wanted, names) ?? `there are ${names.join(', ')}.`}`, {
    kind: 'usage',
  });
}
