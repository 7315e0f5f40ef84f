/** @file Distances of shifted sets from the clean one, as `narrows emi` measured them, next to a run's scores. */
import { z } from 'zod';
import { readJson } from '../../checkpoints/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { EvaluationResults, ScenarioResult } from './results.ts';

const schema = z.object({
  schemaVersion: z.literal(1),
  targets: z.array(
    z.object({
      name: z.string(),
      emid: z.object({ value: z.number() }),
      bound: z.number(),
      divergences: z.object({ visual: z.number(), text: z.number(), targetOutput: z.number() }),
    }),
  ),
});

/** What is taken of `emi.json`: by scenario, the name of a distance and its value in nats. */
export type Distances = ReadonlyMap<string, Readonly<Record<string, number>>>;

/** Distances of a file. @throws NarrowsError for one that `narrows emi` did not write */
export async function readDistances(path: string): Promise<Distances> {
  const parsed = schema.safeParse(await readJson(path));
  if (!parsed.success) throw new NarrowsError(`${path} is no emi.json of narrows emi; name the file that its --output folder holds.`);
  return new Map(
    parsed.data.targets.map(({ name, emid, bound, divergences: { visual, text, targetOutput } }) => [
      name,
      { emid: emid.value, emid_bound: bound, rjsd_visual: visual, rjsd_text: text, rjsd_output: targetOutput },
    ]),
  );
}

/**
 * The results with distances of one set's scenarios; what a file has no distance for, or names though the run has it not, is said in the set's
 * warnings.
 * @throws NarrowsError (usage) where the run has no such set, or the file shares no scenario with it
 */
export function withDistances(results: EvaluationResults, benchmark: string, distances: Distances, path: string): EvaluationResults {
  const set = results.sets.find(one => one.benchmark === benchmark);
  if (!set) {
    const names = results.sets.map(one => one.benchmark).join(', ') || 'none';
    throw new NarrowsError(`${path} is for ${benchmark}, but the run has scores of ${names} only.`, { kind: 'usage' });
  }
  const shifted = set.scenarios.filter(({ kind }) => kind !== 'clean');
  const known = new Set(shifted.map(({ scenario }) => scenario.name));
  const without = [...known].filter(name => !distances.has(name));
  const unknown = [...distances.keys()].filter(name => !known.has(name));
  if (unknown.length === distances.size)
    throw new NarrowsError(`${path} has distances of ${unknown.join(', ') || 'nothing'}, none of which is a scenario of ${benchmark}.`, {
      kind: 'usage',
    });
  const warnings = [
    ...set.warnings,
    ...(without.length > 0 ? [`${path} has no distance of ${without.join(', ')}.`] : []),
    ...(unknown.length > 0 ? [`${path} has distances of ${unknown.join(', ')}, which were not asked here; they are left out.`] : []),
  ];
  const scenarios = set.scenarios.map((one): ScenarioResult => {
    const found = one.kind === 'clean' ? undefined : distances.get(one.scenario.name);
    return found ? { ...one, distances: { ...one.distances, ...found } } : one;
  });
  return { ...results, sets: results.sets.map(one => (one === set ? { ...set, scenarios, warnings } : one)) };
}
