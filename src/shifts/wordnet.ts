/** @file The synonyms that are shipped: WordNet 3.0, from `wordnet/synonyms.json.gz`. Node only. */

import { gunzipSync } from '../node/compression.ts';
import { readFileSync } from '../node/disk.ts';
import { fileURLToPath } from '../node/paths.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { type SynonymFile, type Synonyms, synonymsOf } from './text/synonyms.ts';

/** At the package's root, from the sources and from `dist` alike. */
const path = fileURLToPath(new URL('../../wordnet/synonyms.json.gz', import.meta.url));
let table: Synonyms | undefined;

function read(): Synonyms {
  try {
    return synonymsOf(JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as SynonymFile);
  } catch (cause) {
    throw new NarrowsError(`The table of synonyms ${path} cannot be read (${messageOf(cause)}); install Narrows again.`, { cause });
  }
}

/** WordNet's synonyms of an English word in small letters; the table is read at the first question (a tenth of a second). */
export const wordnetSynonyms: Synonyms = word => {
  table ??= read();
  return table(word);
};
