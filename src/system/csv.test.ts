import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell, delimiterOf, formatCsv, parseCsv, parseTable } from './csv.ts';
import { visible } from './visible.ts';

const fields = (text: string) => parseCsv(text).map(record => record.fields);

describe('CSV', () => {
  it('comes back as it was, whatever the fields hold', () => {
    const nasty = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', 'é', '\uFEFF', '🙂') });
    const rows = fc.array(fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 5 }), { maxLength: 6 });
    fc.assert(
      fc.property(rows, table => {
        // A byte-order mark at the very start belongs to the file, not to its first field.
        fc.pre(!table[0]?.[0].startsWith('\uFEFF'));
        // What a terminal or a spreadsheet would obey does not come back as it was; that is held below.
        fc.pre(table.flat().every(text => visible(text) === text && !/^[=+\-@\t\r]/.test(text)));
        expect(fields(formatCsv(table))).toEqual(table);
        expect(fields(formatCsv(table).replace(/\n$/, ''))).toEqual(table);
      }),
      { numRuns: 500 },
    );
  });

  it('takes CRLF, a byte-order mark, blank lines, quotes and line breaks, and knows on which line a record starts', () => {
    const text = '\uFEFFimage,text\r\n\r\na.png,"two\r\nlines, ""quoted"""\r\nb.png,plain "quotes" inside\r\n';
    expect(parseCsv(text)).toEqual([
      { line: 1, fields: ['image', 'text'] },
      { line: 3, fields: ['a.png', 'two\r\nlines, "quoted"'] },
      { line: 5, fields: ['b.png', 'plain "quotes" inside'] },
    ]);
    expect(fields('a,\n,b')).toEqual([
      ['a', ''],
      ['', 'b'],
    ]);
  });

  it('says where a quote is wrong', () => {
    expect(() => parseCsv('a\n"b', 'x.csv')).toThrow('x.csv, line 2: a quote is opened and never closed');
    expect(() => parseCsv('a\n"b"c', 'x.csv')).toThrow('x.csv, line 2: there is text after a closing quote');
  });

  it('writes formulas and control characters as text', () => {
    expect(['=1+1', '+SUM(A1)', '-2+3', '@x', '\tx', '\r=x', '-0.5', '+1e-7', '.5', '-'].map(csvCell)).toEqual([
      "'=1+1",
      "'+SUM(A1)",
      "'-2+3",
      "'@x",
      "'\tx",
      "'\\u000d=x",
      "'-0.5",
      "'+1e-7",
      '.5',
      "'-",
    ]);
    expect(csvCell('\u001b[2Jcat, "dog"')).toBe('"\\u001b[2Jcat, ""dog"""');
    expect([Number.NaN, undefined, -0.25, 1e-7, true].map(csvCell)).toEqual(['', '', '-0.25', '1e-7', 'true']);
  });

  it('takes what a first line says parts the fields, and bars', () => {
    const table = (text: string) => parseTable(text, 'x.csv').map(r => [r.line, ...r.fields]);
    for (const mark of [';', ',', '\t', '|']) {
      const lines = `image${mark}text\r\na.png${mark}"x${mark}y"\r\n`;
      const rows = (from: number) => [
        [from, 'image', 'text'],
        [from + 1, 'a.png', `x${mark}y`],
      ];
      expect(table(lines)).toEqual(rows(1));
      expect(table(`\uFEFFSEP=${mark}\r\n${lines}`)).toEqual(rows(2));
    }
    // It is said, whatever stands more often; and a column may be called so.
    expect(table('sep=;\na,b,c;d\n')).toEqual([[2, 'a,b,c', 'd']]);
    expect(table('sep=x,text\n1,2\n')).toEqual([
      [1, 'sep=x', 'text'],
      [2, '1', '2'],
    ]);
  });

  it('finds semicolons and tabs by the first line', () => {
    expect(['a;b\n1,2;3', 'a\tb', 'a,b', 'image', '"a;b",c', '\uFEFF"x,y";z'].map(delimiterOf)).toEqual([';', '\t', ',', ',', ',', ';']);
    expect(parseCsv('image;text\n"a;b.png";a dog, a cat\n', 'x', ';').map(record => record.fields)).toEqual([
      ['image', 'text'],
      ['a;b.png', 'a dog, a cat'],
    ]);
  });
});
