import { describe, expect, it } from 'vitest';
import { rowsQuery } from '../requests.ts';
import { auditLines } from './export.ts';
import { auditRow, keyed, pageOf } from './rows.ts';

const pair = (image: string, text: string, line: number) => ({
  image,
  path: image,
  text,
  line,
  where: `line ${line}`,
  further: { ward: 'north' },
});
const [first, second, again] = keyed(
  [pair('a.png', 'a cat', 2), pair('b.png', 'a dog', 3), pair('a.png', 'a cat', 4)],
  ({ image }) => `in/${image}`,
);
const record = { cosine: 0.25, imageBits: 10, captionBits: 4, verdict: 'not converged' };

describe('rows of an audit', () => {
  it('have keys that name picture, caption, and which of several alike, whatever stands before them', () => {
    expect(new Set([first.key, second.key, again.key]).size).toBe(3);
    expect(keyed([pair('b.png', 'a dog', 9)], ({ image }) => image)[0].key).toBe(second.key);
  });

  it('are sorted by the bits that the table shows: those of both sides', () => {
    const rows = [
      auditRow(first, { ...record, imageBits: 10, captionBits: 4 }, undefined, {}),
      auditRow(second, { ...record, imageBits: 9, captionBits: 9 }, undefined, {}),
      auditRow(again, { ...record, imageBits: undefined, captionBits: undefined }, undefined, {}),
    ];
    const order = (descending: boolean) => pageOf(rows, rowsQuery.parse({ source: 'x', sort: 'bits', descending })).rows.map(r => r.line);
    expect([order(true), order(false)]).toEqual([
      [3, 2, 4],
      [2, 3, 4],
    ]);
  });

  it('become lines with what was asked, found and judged', () => {
    const rows = [
      auditRow(first, record, undefined, { verdict: 'wrong', note: 'a line\nbreak' }),
      auditRow(second, undefined, 'b.png is gone.', {}),
    ];
    const request = { model: 'm', source: 's', method: { name: 'm2ib', options: { beta: 2 } }, modality: 'both', seed: 3 } as const;
    const lines = auditLines(rows, request).split('\n');
    expect(lines.map(line => line && JSON.parse(line))).toEqual([
      {
        ...{ line: 2, image: 'in/a.png', caption: 'a cat', further: { ward: 'north' }, verdict: 'wrong', note: 'a line\nbreak' },
        ...{ state: 'done', cosine: 0.25, imageBits: 10, textBits: 4, convergence: 'not converged' },
        ...{ model: 'm', method: 'm2ib', options: { beta: 2 }, modality: 'both', seed: 3 },
      },
      {
        ...{ line: 3, image: 'in/b.png', caption: 'a dog', further: { ward: 'north' }, state: 'failed', failure: 'b.png is gone.' },
        ...{ model: 'm', method: 'm2ib', options: { beta: 2 }, modality: 'both', seed: 3 },
      },
      '',
    ]);
    expect(JSON.parse(auditLines(rows.slice(1), undefined))).not.toHaveProperty('method');
  });
});
