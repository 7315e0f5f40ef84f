import { expect, it } from 'vitest';
import { gatherWarnings, linesText } from './audit-warnings.ts';

it('a warning is said once, with the places that its list has: lines, entries, rows', () => {
  const results = [1, 2, 4, 5, 9].map(line => ({ line, warnings: line === 2 ? ['a', 'b'] : ['a'] }));
  expect(gatherWarnings(results)).toEqual([
    { message: 'a', lines: [1, 2, 4, 5, 9] },
    { message: 'b', lines: [2] },
  ]);
  expect(linesText('l.csv', [3])).toBe('line 3');
  expect(linesText('l.JSON', [3])).toBe('entry 3');
  expect(linesText('l.parquet', [1, 2, 4, 5, 9])).toBe('rows 1, 2, 4 and 2 more');
  expect(linesText('l.jsonl', [1, 2])).toBe('lines 1, 2');
  expect(linesText('films', [4, 4, 7])).toBe('pictures 4, 7');
});
