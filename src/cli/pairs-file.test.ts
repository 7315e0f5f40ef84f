import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPairs } from './pairs-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'narrows-pairs-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function list(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('lists of pairs', () => {
  it('reads CSV by its column names, in any order; relative paths start at the file', async () => {
    const pairs = await readPairs(list('a.csv', 'id,Caption,image_path\n1,"a dog, a cat",x/y.png\n2,b,/abs.png\n'));
    expect(pairs).toEqual([
      { image: 'x/y.png', path: join(directory, 'x/y.png'), text: 'a dog, a cat', line: 2 },
      { image: '/abs.png', path: '/abs.png', text: 'b', line: 3 },
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
