/** @file Which run is better where, counted; and how the rows of a comparison are written. */
import type { ComparedScenario, RunsComparison, Verdict } from '../../../evaluation/run/compare-runs.ts';
import { disagreement } from '../disagreement.ts';
import { KINDS } from '../view.ts';

/** Scenarios of a run against the reference, counted by what the corrected test says. */
export type Counts = Readonly<Record<Verdict, number>>;

/** A run on a set. */
export interface RunOnSet {
  readonly run: string;
  readonly benchmark: string;
  readonly title: string;
  /** In the order of kinds: the clean set first. */
  readonly rows: readonly ComparedScenario[];
  readonly counts: Counts;
  /** Of drops; undefined where no scenario has one. */
  readonly drops?: Counts;
}

const count = (verdicts: readonly Verdict[]): Counts => {
  const of = (verdict: Verdict): number => verdicts.filter(v => v === verdict).length;
  return { better: of('better'), worse: of('worse'), 'not significant': of('not significant') };
};

/** Every run on every set that it shares with the reference, in the order of the comparison. */
export function runsOnSets({ rows }: RunsComparison): RunOnSet[] {
  const places = [...new Set(rows.map(row => JSON.stringify([row.run, row.benchmark])))];
  return places.map(place => {
    const [run, benchmark] = JSON.parse(place) as [string, string];
    const all = rows.filter(row => row.run === run && row.benchmark === benchmark);
    const drops = all.flatMap(({ drop }) => (drop ? [drop.verdict] : []));
    return {
      ...{ run, benchmark, title: all[0].title },
      rows: KINDS.flatMap(kind => all.filter(row => row.kind === kind)),
      counts: count(all.map(row => row.verdict)),
      ...(drops.length > 0 ? { drops: count(drops) } : {}),
    };
  });
}

/** `better under 3, worse under 1, not significant under 12 of 16`. */
export function countsText(counts: Counts): string {
  const total = counts.better + counts.worse + counts['not significant'];
  const parts = (['better', 'worse', 'not significant'] as const).flatMap(name =>
    counts[name] > 0 ? [`${name} under ${counts[name]}`] : [],
  );
  return `${parts.join(', ')} of ${total}`;
}

/** Where the scorer's figure prefers one run and the share of right answers the other. */
export const runDisagreements = (rows: readonly ComparedScenario[]): string[] =>
  rows.flatMap(({ scenario, primary, best, reference: before, value: after, changes: { difference } }) => {
    return disagreement(scenario, { primary, best, before, after, difference }) ?? [];
  });
