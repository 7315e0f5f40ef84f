/** @file Everything that a reader is warned of: of the run, of its sets, of scores; what several scenarios share is said once. */
import type { EvaluationResults, SetResult } from '../../evaluation/run/results.ts';

/** Names of scenarios before the rest is counted. */
const NAMED = 3;

function scoreWarnings({ title, scenarios }: SetResult): string[] {
  const where = new Map<string, string[]>();
  for (const { scenario, score, others } of scenarios)
    for (const { scorer, warnings } of [score, ...Object.values(others)])
      for (const warning of warnings) {
        const text = score.scorer === scorer ? warning : `by ${scorer}, ${warning}`;
        where.set(text, [...(where.get(text) ?? []), scenario.name]);
      }
  return [...where].map(([text, names]) => {
    const more = names.length - NAMED;
    const listed = names.slice(0, more > 1 ? NAMED : names.length).join(', ');
    return `${title} under ${listed}${more > 1 ? ` and ${more} more` : ''}: ${text}`;
  });
}

/** All warnings, each once; those of the run first. */
export const allWarnings = ({ warnings, sets }: EvaluationResults): string[] => [
  ...new Set([...warnings, ...sets.flatMap(set => [...set.warnings.map(warning => `${set.title}: ${warning}`), ...scoreWarnings(set)])]),
];
