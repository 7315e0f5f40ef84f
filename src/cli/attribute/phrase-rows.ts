/** @file The rows of `--pairs` where phrases are explained: one for each phrase of each caption, and one for the caption where it is a text. */
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { NarrowsError } from '../../system/errors.ts';
import { spansOf } from './phrases.ts';

/** Rows, and why there is none of a phrase that was asked for. */
export interface PhraseRows {
  readonly rows: readonly ListedPair[];
  readonly failures: ReadonlyMap<ListedPair, string>;
  /** Lines whose list of findings is empty. */
  readonly empty: readonly number[];
}

/** The column of the tables that says which phrase a row is. */
const columnOf = (pairs: readonly ListedPair[]): string => {
  let name = 'phrase';
  while (pairs.some(pair => name in pair.further)) name = `${name} of caption`;
  return name;
};

/**
 * @param spans as of `--spans`. Without it, captions stay whole and lists of findings are taken apart: a list is no sentence, so it gets no row
 */
export function phraseRows(pairs: readonly ListedPair[], spans: readonly string[] | undefined): PhraseRows {
  const rows: ListedPair[] = [];
  const failures = new Map<ListedPair, string>();
  const empty: number[] = [];
  const column = columnOf(pairs);
  const row = (pair: ListedPair, text: string, phrase: string): ListedPair => ({
    ...pair,
    text,
    further: { ...pair.further, [column]: phrase },
  });
  for (const pair of pairs) {
    const { findings } = pair;
    if (!spans && !findings) {
      rows.push(pair);
      continue;
    }
    if (findings?.length === 0) {
      empty.push(pair.line);
      continue;
    }
    if (!findings) rows.push(row(pair, pair.text, 'all'));
    const commas = !spans || (spans.length === 1 && spans[0] === 'commas');
    const wanted = commas ? (findings ?? spansOf(pair.text, ['commas']).map(({ text }) => text)) : spans;
    for (const [i, phrase] of wanted.entries()) {
      const named = `${i + 1} of ${wanted.length}`;
      try {
        // One by one: a phrase that a report lacks leaves the others as they are.
        rows.push(row(pair, commas ? phrase : spansOf(pair.text, [phrase])[0].text, named));
      } catch (error) {
        if (!(error instanceof NarrowsError)) throw error;
        const lacking = row(pair, phrase, named);
        rows.push(lacking);
        failures.set(lacking, error.message);
      }
    }
  }
  return { rows, failures, empty };
}
