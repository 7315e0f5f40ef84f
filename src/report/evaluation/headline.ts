/** @file A set in a line: the clean score, mean changes by kind of shift, the scenario that costs most. */
import type { ScenarioResult, SetResult } from '../../evaluation/run/results.ts';
import { cleanOf } from './view.ts';

/** Mean change over the scenarios of a kind. */
export interface MeanChange {
  /** Of the share that is right, 0 to 1. */
  readonly change: number;
  readonly scenarios: number;
}

/** A set in a line. */
export interface Headline {
  /** The clean set, or the first scenario where it was not asked. */
  readonly first?: ScenarioResult;
  readonly means: Readonly<Partial<Record<'visual' | 'textual' | 'joint', MeanChange>>>;
  /** The scenario with the largest drop; undefined where nothing drops. */
  readonly worst?: ScenarioResult;
}

/** The line of a set. */
export function headlineOf(set: SetResult): Headline {
  const means: Partial<Record<'visual' | 'textual' | 'joint', MeanChange>> = {};
  for (const kind of ['visual', 'textual', 'joint'] as const) {
    const changes = set.scenarios.flatMap(s => (s.kind === kind && s.againstClean ? [s.againstClean.difference] : []));
    if (changes.length > 0) means[kind] = { change: changes.reduce((sum, c) => sum + c, 0) / changes.length, scenarios: changes.length };
  }
  const drop = (s: ScenarioResult): number => s.againstClean?.difference ?? 0;
  const worst = [...set.scenarios].sort((a, b) => drop(a) - drop(b))[0];
  return { first: cleanOf(set) ?? set.scenarios[0], means, ...(worst && drop(worst) < 0 ? { worst } : {}) };
}
