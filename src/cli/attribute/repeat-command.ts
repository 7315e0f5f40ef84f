/** @file The command line that gives a result again. */

import type { Attribution } from '../../attribution/result.ts';
import { commandLine, shellQuote } from '../../report/attribution/html.ts';

/** The command that gives a result again, with the model and the picture as they were named in this call. */
export function repeatCommand(result: Attribution, model: string, image: string | undefined): string {
  const { provenance } = result;
  const named = { ...result, provenance: { ...provenance, model: { ...provenance.model, name: model } } };
  const line = commandLine({ ...named, provenance: { ...named.provenance, image: { ...provenance.image, name: image ?? '' } } });
  // The shipped example has no path that would hold elsewhere: without image and text it is taken anyway.
  return image === undefined ? line.replace(` --image ${shellQuote('')} --text ${shellQuote(result.caption)}`, '') : line;
}
