/** @file A suite by its name or from a file. Node only. */

import { readText } from '../../inputs/text-file.ts';
import { existsSync } from '../../node/disk.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { isTooDeep, tooDeep } from '../../system/json-depth.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import { findSuite, suites } from './registry.ts';
import { parseSuite, type Suite } from './suite.ts';

const isFile = (text: string): boolean => /\.json$/i.test(text) || /[\\/]/.test(text) || existsSync(text);

/**
 * A built-in suite (`vittle-9x9x9`, `emi-synthetic`, `imagenet-c`, …) or one from a JSON file of one's own.
 * @throws NarrowsError (usage) for an unknown name, with the nearest ones; for a file that cannot be read, is no JSON, or no suite
 * @example
 * const { scenarios } = await loadSuite('emi-synthetic');
 * console.log(scenarios.length, scenarios[1].name);
 */
export async function loadSuite(nameOrFile: string): Promise<Suite> {
  const suite = findSuite(nameOrFile);
  if (suite) return suite;
  if (!isFile(nameOrFile)) {
    const names = suites.map(s => s.name);
    const near = didYouMean(nameOrFile, names) ?? `choose among ${names.join(', ')}, or give a .json file.`;
    throw new NarrowsError(`There is no suite "${nameOrFile}"; ${near}`, { kind: 'usage' });
  }
  const text = await readText(nameOrFile);
  if (isTooDeep(text)) throw new NarrowsError(tooDeep(nameOrFile));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NarrowsError(`${nameOrFile} is not valid JSON: ${messageOf(error)}.`, { cause: error });
  }
  return parseSuite(value, nameOrFile);
}
