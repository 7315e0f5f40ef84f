/** @file A suite: scenarios under one name, as data. Users write their own as JSON files. */
import { z } from 'zod';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { issueText } from '../../system/issue-text.ts';
import { checkScenario, type Scenario, scenarioName, scenarioSchema } from './scenario.ts';

const suiteSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1),
  /** Whether a publication chose the scenarios, or Narrows (a user) did. */
  marked: z.enum(['ours', 'published']).default('ours'),
  scenarios: z.array(scenarioSchema).min(1),
});

/** Scenarios under a name. */
export interface Suite {
  readonly name: string;
  /** What it is for, and whose choice it is. */
  readonly description: string;
  readonly marked: 'ours' | 'published';
  /** Names are unique; the clean set is among them only where the suite is a grid with it. */
  readonly scenarios: readonly Scenario[];
}

/**
 * A suite from plain data. @param from what to call it in sentences: a file's name
 * @throws NarrowsError that names the scenario and the key which are wrong
 */
export function parseSuite(value: unknown, from: string): Suite {
  const parsed = suiteSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [first, number, ...rest] = issue.path;
    const where =
      first === 'scenarios' && typeof number === 'number'
        ? `scenario ${number + 1}${rest.length ? `, ${rest.join('.')}` : ''}`
        : issue.path.join('.');
    throw new NarrowsError(
      `${from} is no suite: ${where ? `${where}: ` : ''}${issueText(issue, value)}; it should be {"name", "description", "scenarios": [{"image": {"shift", "severity"}, "text": {…}}]}.`,
    );
  }
  const scenarios = parsed.data.scenarios.map(one => ({ ...one, name: one.name ?? scenarioName(one) }));
  const seen = new Map<string, number>();
  for (const [i, scenario] of scenarios.entries()) {
    const before = seen.get(scenario.name);
    if (before !== undefined)
      throw new NarrowsError(
        `${from}: scenarios ${before + 1} and ${i + 1} are both called ${JSON.stringify(scenario.name)}; give each a name of its own.`,
      );
    seen.set(scenario.name, i);
    try {
      checkScenario(scenario);
    } catch (error) {
      throw new NarrowsError(`${from}, scenario ${i + 1} (${scenario.name}): ${messageOf(error)}`, { cause: error });
    }
  }
  return { ...parsed.data, scenarios };
}
