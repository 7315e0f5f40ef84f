/** @file Plain tables for the terminal: columns aligned, the last one wrapped to the width. */

const width = (text: string): number => [...text].length;

/** Words in lines of at most `columns`; a word that is longer gets a line. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** @param header may be all empty, and is then left out @param columns width of the terminal */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], columns: number): string {
  const all = header.some(Boolean) ? [header, ...rows] : rows;
  const last = header.length - 1;
  const widths = header.slice(0, last).map((_, i) => Math.max(...all.map(row => width(row[i]))));
  const left = widths.reduce((sum, w) => sum + w + 2, 0);
  return all
    .flatMap(row => {
      const lines = wrap(row[last], Math.max(24, columns - left));
      const start = row
        .slice(0, last)
        .map((cell, i) => cell + ' '.repeat(widths[i] - width(cell) + 2))
        .join('');
      return lines.map((line, i) => `${i === 0 ? start : ' '.repeat(left)}${line}`.trimEnd());
    })
    .join('\n');
}
