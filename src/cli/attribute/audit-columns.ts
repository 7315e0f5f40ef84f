/** @file Names of a list's further columns in the tables of an audit, where they must not hide the audit's columns. */
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';

/** Columns of `summary.csv` and keys of `results.jsonl`. */
const TAKEN = new Set(
  (
    'image caption cosine image_bits caption_bits inside_box verdict report warnings ' +
    'imageBits captionBits insideBox unit words grid patches files error'
  ).split(' '),
);

/** The names by which the list's further columns go, in the order in which they are met. */
export function furtherNames(listed: readonly ListedPair[]): Map<string, string> {
  const names = [...new Set(listed.flatMap(pair => Object.keys(pair.further)))];
  const free = (name: string): string =>
    TAKEN.has(name) || (name.endsWith(' (list)') && names.includes(name.slice(0, -7))) ? `${name} (list)` : name;
  return new Map(names.map(name => [name, free(name)]));
}

/** The pair with its columns under these names. */
export const renamed = (pair: ListedPair, names: ReadonlyMap<string, string>): ListedPair => ({
  ...pair,
  further: Object.fromEntries(Object.entries(pair.further).map(([name, value]) => [names.get(name) ?? name, value])),
});
