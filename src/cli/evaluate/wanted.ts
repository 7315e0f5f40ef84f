/** @file From the flags of `narrows evaluate` to the sets that are asked, and the scenarios that they are asked under. */
import { findBenchmark } from '../../evaluation/benchmarks/registry.ts';
import type { WantedSet } from '../../evaluation/run/load-sets.ts';
import { parseScenario } from '../../evaluation/run/parse-scenarios.ts';
import { CLEAN, type Scenario, scenarioKind } from '../../evaluation/run/scenario.ts';
import { findSuite } from '../../evaluation/run/suites.ts';
import { loadSuite } from '../../shifts/suites/load-suite.ts';
import { findSuite as findShifts } from '../../shifts/suites/registry.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Options } from '../command.ts';

/** Whether a text names a suite of shifts: a built-in one, or a file. */
const isSuite = (text: string): boolean => findShifts(text) !== undefined || /\.json$/i.test(text);

/** Scenarios of a suite of shifts, of some kinds only. @throws NarrowsError as `loadSuite` */
async function fromSuite(name: string, kinds?: readonly string[]): Promise<Scenario[]> {
  const { scenarios } = await loadSuite(name);
  const wanted = kinds ? scenarios.filter(scenario => kinds.includes(scenarioKind(scenario))) : scenarios;
  return wanted.filter(scenario => scenarioKind(scenario) !== 'clean');
}

/**
 * `vittle-9x9x9`, a suite's JSON file, or single scenarios; the clean set comes first, whatever is asked for.
 * @throws NarrowsError (usage) as `parseScenario` and `loadSuite`; for two scenarios of one name
 */
export async function scenariosOf(texts: readonly string[] | undefined): Promise<Scenario[]> {
  const scenarios: Scenario[] = [CLEAN];
  for (const text of texts ?? []) {
    if (text === CLEAN.name) continue;
    if (isSuite(text)) scenarios.push(...(await fromSuite(text)));
    else scenarios.push(parseScenario(text));
  }
  const names = scenarios.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new NarrowsError(`The scenario ${twice} is asked for twice; leave one out of --shifts.`, { kind: 'usage' });
  return scenarios;
}

/** What `--benchmark`, `--suite`, `--split`, `--prompt` and `--shifts` ask for. @throws NarrowsError (usage) */
export async function wantedSets(options: Options): Promise<WantedSet[]> {
  const { benchmark, suite, split, prompt, shifts } = options as {
    benchmark?: string[];
    suite?: string;
    split?: string;
    prompt?: string;
    shifts?: string[];
  };
  if (suite !== undefined && (benchmark || split !== undefined || shifts))
    throw new NarrowsError(
      `--suite says which sets are asked and how; leave out ${benchmark ? '--benchmark' : split === undefined ? '--shifts' : '--split'}.`,
      { kind: 'usage' },
    );
  if (suite === undefined) {
    const scenarios = await scenariosOf(shifts);
    return [...new Set(benchmark)].map(name => ({ benchmark: findBenchmark(name), scenarios, split, prompt }));
  }
  const wanted: WantedSet[] = [];
  for (const { benchmark: name, split: part, shifts: under } of findSuite(suite).sets)
    wanted.push({
      benchmark: findBenchmark(name),
      scenarios: [CLEAN, ...(under ? await fromSuite(under.suite, under.kinds) : [])],
      split: part,
      prompt,
    });
  return wanted;
}
