/** @file Results of the studio's list, found in their folders and held against what is asked of them; comparisons read. */

import { basename, dirname, join } from 'node:path';
import { readFile, stat } from '../../node/disk.ts';
import type { ComparisonView } from '../../studio/evidence.ts';
import { checkEvidenceSize, comparisonView } from '../../studio/evidence-files.ts';
import { StudioError } from '../../studio/protocol.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Source } from './sources.ts';

/** A results.json. */
export interface ResultsFile {
  readonly path: string;
  /** As it is called in sentences. */
  readonly name: string;
  readonly folder: string;
}

/**
 * The results.json of a source.
 * @throws StudioError for another kind of source or a file that is too large, NarrowsError where there is none
 */
export async function resultsFile({ path, info }: Source, kind: 'comparison' | 'evaluation'): Promise<ResultsFile> {
  if (info.kind !== kind) throw new StudioError('usage', `${info.name} is no ${kind}.`);
  const unread = (cause: unknown): never => {
    throw new NarrowsError(`${path} cannot be read (${messageOf(cause)}); the report has not been written yet.`, { cause });
  };
  const inside = (await stat(path).catch(unread)).isDirectory();
  const file = { path: inside ? join(path, 'results.json') : path, name: inside ? `${basename(path)}/results.json` : info.name };
  checkEvidenceSize((await stat(file.path).catch(unread)).size, file.name);
  return { ...file, folder: dirname(file.path) };
}

/** A comparison. @throws StudioError for what is none */
export const comparisonOf = async ({ path, name }: ResultsFile): Promise<ComparisonView> =>
  comparisonView(await readFile(path, 'utf8'), name);
