import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPairs } from './read-pairs.ts';

const directory = mkdtempSync(join(tmpdir(), 'narrows-pairs-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function list(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('lists of pairs', () => {
  it('reads CSV by its column names, in any order; relative paths start at the file', async () => {
    const pairs = await readPairs(list('a.csv', 'id,Caption,image_path\n1,"a dog, a cat",x/y.png\n2,b,/abs.png\n'));
    expect(pairs).toEqual([
      {
        image: 'x/y.png',
        path: join(directory, 'x/y.png'),
        text: 'a dog, a cat',
        line: 2,
        where: `${join(directory, 'a.csv')}, line 2`,
        further: { id: '1' },
      },
      { image: '/abs.png', path: '/abs.png', text: 'b', line: 3, where: `${join(directory, 'a.csv')}, line 3`, further: { id: '2' } },
    ]);
  });

  it('reads JSON lines, each with keys of its own', async () => {
    const pairs = await readPairs(
      list('a.jsonl', '{"image": "a.png", "text": "a"}\n\n{"file_name": "b.png", "caption": "b", "image_id": 3}\n'),
    );
    expect(pairs.map(p => [p.image, p.text, p.line])).toEqual([
      ['a.png', 'a', 1],
      ['b.png', 'b', 3],
    ]);
  });

  it('reads semicolons, tabs, UTF-16, and JSON lists, wrapped ones too', async () => {
    const expected = [['a.png', 'a dog, a cat', { site: 'x' }]];
    const rows = [
      list('semicolon.csv', 'Image;caption;site\na.png;a dog, a cat;x\n'),
      list('tabs.tsv', 'image\ttitle\tsite\na.png\ta dog, a cat\tx\n'),
      list('utf16.csv', Buffer.from('\uFEFFimage;caption;site\na.png;a dog, a cat;x\n', 'utf16le')),
      list('list.json', '[{"site": "x", "filename": "a.png", "sentence": "a dog, a cat"}]'),
      list('wrapped.json', '{"data": [{"site": "x", "filename": "a.png", "sentence": "a dog, a cat"}]}'),
    ];
    for (const file of rows) expect((await readPairs(file)).map(p => [p.image, p.text, p.further])).toEqual(expected);
    await expect(readPairs(list('latin.csv', Buffer.from('image,text\na.png,na\u00efve\n', 'latin1')))).rejects.toThrow(
      'line 2: the text is not UTF-8',
    );
  });

  it('takes one of several columns and says so; leaves bad rows out where it may; keeps long ids', async () => {
    const warnings: string[] = [];
    const both = list('both.csv', 'image,caption,text\na.png,left,right\n');
    expect((await readPairs(both, { onWarning: w => warnings.push(w) }))[0]).toMatchObject({ text: 'right', further: { caption: 'left' } });
    expect(warnings).toEqual([`The first line of ${both} has "text" and "caption"; the caption is taken from "text".`]);
    const ignored: string[] = [];
    const some = list('some.jsonl', '{"image": "a.png"}\nnot json\n{"image": "b.png", "text": "b", "id": 9007199254740993}\n');
    const pairs = await readPairs(some, { ignore: message => ignored.push(message) });
    expect(pairs.map(p => [p.text, p.further.id])).toEqual([['b', 9007199254740993n]]);
    expect(ignored).toHaveLength(2);
  });

  it.each([
    ['a.txt', 'x', /neither \.csv nor \.jsonl/],
    ['empty.csv', '', /is empty/],
    ['alone.csv', 'image,text\n', /lists no pairs/],
    ['columns.csv', 'picture,text\na,b\n', /no column for the image; name it one of image/],
    ['ragged.csv', 'image,text\na,b,c\n', /line 2: 3 fields where the first line has 2; put quotes/],
    ['broken.jsonl', '{"image": \n', /line 1 is not valid JSON/],
    ['list.jsonl', '[1]\n', /line 1, is no JSON object/],
    ['number.jsonl', '{"image": 1, "text": "a"}\n', /line 1, must give image and text as texts/],
  ])('refuses %s', async (name, content, says) => {
    await expect(readPairs(list(name, content))).rejects.toThrow(says);
  });
});
