/** @file What was warned about in an audit, each warning once, with the lines of the list that it concerns. */

/** A warning of one or more results. */
export interface SharedWarning {
  readonly message: string;
  /** Lines of the list. */
  readonly lines: readonly number[];
}

/** Gathers the warnings of all results, in the order of the list. */
export function gatherWarnings(results: Iterable<{ readonly line: number; readonly warnings?: readonly string[] }>): SharedWarning[] {
  const found = new Map<string, number[]>();
  for (const { line, warnings = [] } of results)
    for (const message of warnings) {
      const lines = found.get(message);
      if (lines) lines.push(line);
      else found.set(message, [line]);
    }
  return [...found].map(([message, lines]) => ({ message, lines }));
}

/** What the places of a list are called, by its ending; a folder has pictures. */
const PLACES: readonly (readonly [RegExp, string, string])[] = [
  [/\.json$/i, 'entry', 'entries'],
  [/\.parquet$/i, 'row', 'rows'],
  [/\.(csv|tsv|jsonl|ndjson)$/i, 'line', 'lines'],
  [/$/, 'picture', 'pictures'],
];

/** `line 3`, or `lines 3, 5, 7 and 12 more`; several rows of one line count once. @param file the list, or a folder */
export function linesText(file: string, all: readonly number[]): string {
  const [, one, many] = PLACES.find(([ending]) => ending.test(file))!;
  const lines = [...new Set(all)];
  return lines.length === 1
    ? `${one} ${lines[0]}`
    : `${many} ${lines.slice(0, 3).join(', ')}${lines.length > 3 ? ` and ${lines.length - 3} more` : ''}`;
}
