/** @file Loads the sets of a run: one benchmark, several, or a suite; of a suite, sets that are not there are left out and named. */
import { access } from '../../node/disk.ts';
import { join } from '../../node/paths.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { Benchmark, LoadOptions } from '../benchmarks/benchmark.ts';
import type { SetToAsk } from './asked-set.ts';
import type { Scenario } from './scenario.ts';

/** A set that is wanted. */
export interface WantedSet {
  readonly benchmark: Benchmark;
  readonly scenarios: readonly Scenario[];
  readonly split?: string;
  /** Name or beginning of the name of one of the benchmark's prompts; its first by default. */
  readonly prompt?: string;
}

/** A set that could not be loaded. */
export interface LeftOut {
  readonly benchmark: string;
  readonly reason: string;
}

/** How wanted sets are loaded. */
export interface LoadSetsOptions extends Omit<LoadOptions, 'split'> {
  /** Sets that are not there are left out rather than refused: a suite runs on what there is. */
  readonly leaveOut?: boolean;
  readonly onSet?: (benchmark: Benchmark) => void;
}

/** The prompt of a name. @throws NarrowsError (usage) naming those that there are */
export function promptOf({ name, prompts }: Benchmark, wanted: string | undefined): string {
  const names = Object.keys(prompts);
  if (wanted === undefined) return names[0];
  const found = names.find(one => one === wanted) ?? names.find(one => one.split('@')[0] === wanted);
  if (found) return found;
  throw new NarrowsError(
    `${name} has no prompt ${JSON.stringify(wanted)} (${didYouMean(wanted, names) ?? `it has ${names.join(', ')}`}).`,
    { kind: 'usage' },
  );
}

/** Where a set's data are: the folder of its name within `data`, else `data` itself. */
async function placeOf(data: string | undefined, name: string): Promise<string | undefined> {
  if (data === undefined) return undefined;
  const inside = join(data, name);
  return access(inside).then(
    () => inside,
    () => data,
  );
}

/** @throws NarrowsError for a set that cannot be loaded, unless it may be left out; where none is left; the signal's reason */
export async function loadSets(
  wanted: readonly WantedSet[],
  { leaveOut = false, onSet, ...options }: LoadSetsOptions,
): Promise<{ readonly sets: readonly (SetToAsk & { readonly load: LoadOptions })[]; readonly leftOut: readonly LeftOut[] }> {
  const sets: (SetToAsk & { readonly load: LoadOptions })[] = [];
  const leftOut: LeftOut[] = [];
  for (const { benchmark, scenarios, split, prompt } of wanted) {
    options.signal?.throwIfAborted();
    onSet?.(benchmark);
    const load: LoadOptions = { ...options, data: await placeOf(options.data, benchmark.name), ...(split === undefined ? {} : { split }) };
    try {
      const set = await benchmark.load(load);
      sets.push({ benchmark, set, scenarios, prompt: promptOf(benchmark, prompt), load });
    } catch (error) {
      if (!leaveOut || !(error instanceof NarrowsError) || error.kind === 'usage') throw error;
      leftOut.push({ benchmark: benchmark.name, reason: messageOf(error) });
    }
  }
  if (sets.length === 0)
    throw new NarrowsError(
      `None of the sets is there: ${leftOut.map(({ benchmark, reason }) => `${benchmark} (${reason})`).join(' ')} Put each into a folder of its name and pass the folder around them with --data.`,
    );
  return { sets, leftOut };
}
