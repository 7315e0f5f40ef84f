/** @file All benchmarks. The command line, docs and tests read this table; nothing is listed twice. */
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { Benchmark } from './benchmark.ts';
import { chair } from './chair.ts';
import { generic } from './generic.ts';
import { gqa } from './gqa.ts';
import { llavaBenchCoco } from './llava-bench-coco.ts';
import { llavaBenchInTheWild } from './llava-bench-in-the-wild.ts';
import { llavaBenchWilder } from './llava-bench-wilder.ts';
import { mmbench } from './mmbench.ts';
import { mme } from './mme.ts';
import { mmmu } from './mmmu.ts';
import { mmstar } from './mmstar.ts';
import { pope } from './pope.ts';
import { scenesChoice } from './scenes-choice.ts';
import { scenesOpen } from './scenes-open.ts';
import { scenesPope } from './scenes-pope.ts';
import { scienceqa } from './scienceqa.ts';
import { textvqa } from './textvqa.ts';
import { wildvisionBench } from './wildvision-bench.ts';

/** The table; each key is its entry's name. */
const table = {
  'scenes-pope': scenesPope,
  'scenes-choice': scenesChoice,
  'scenes-open': scenesOpen,
  pope,
  mme,
  'llava-bench-coco': llavaBenchCoco,
  'llava-bench-in-the-wild': llavaBenchInTheWild,
  'llava-bench-wilder': llavaBenchWilder,
  'wildvision-bench': wildvisionBench,
  scienceqa,
  mmmu,
  mmstar,
  mmbench,
  gqa,
  textvqa,
  chair,
  generic,
} as const satisfies Readonly<Record<string, Benchmark>>;

/** Name of a benchmark. */
export type BenchmarkName = keyof typeof table;

/** All benchmarks, in the order of tables. */
export const benchmarks: readonly Benchmark[] = Object.values(table);

/** Names in papers that are not the title. */
const ALIASES: Readonly<Record<string, BenchmarkName>> = {
  'lb-coco': 'llava-bench-coco',
  'lb-wild': 'llava-bench-in-the-wild',
  'lb-wilder': 'llava-bench-wilder',
  'wv-bench': 'wildvision-bench',
};

/** A benchmark by its name, its title, or the short name that papers use. @throws NarrowsError with the nearest names for one that is not known */
export function findBenchmark(name: string): Benchmark {
  const wanted = name.trim().toLowerCase().replaceAll('_', '-');
  const found = benchmarks.find(one => one.name === (ALIASES[wanted] ?? wanted) || one.title.toLowerCase() === wanted);
  if (found) return found;
  const names = benchmarks.map(one => one.name);
  throw new NarrowsError(`There is no benchmark "${name}": ${didYouMean(wanted, names) ?? `there are ${names.join(', ')}.`}`, {
    kind: 'usage',
  });
}
