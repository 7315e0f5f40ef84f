import { describe, expect, it } from 'vitest';
import { chosenPairs } from './chosen-files.ts';

const chosen = (files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>) =>
  Object.entries(files).map(([path, content]) => ({ path, file: new File([content], path.split('/').at(-1)!) }));
const textOf = (file: File): Promise<string> => file.text();

describe('files that were chosen', () => {
  it('are pairs by their list, whose paths are followed', async () => {
    const found = await chosenPairs(
      chosen({
        'ward/pairs.csv': 'image;text;age\nnorth/1.png;"a cat; a dog";7\n./north/../south/1.png;a moon;8\n',
        'ward/north/1.png': 'north',
        'ward/south/1.png': 'south',
        'ward/notes/more.csv': 'x,y\n1,2\n',
      }),
    );
    expect(found.name).toBe('ward/pairs.csv');
    expect(found.pairs.map(({ image, text, line, further }) => [image, text, line, further])).toEqual([
      ['north/1.png', 'a cat; a dog', 2, { age: '7' }],
      ['./north/../south/1.png', 'a moon', 3, { age: '8' }],
    ]);
    expect(await Promise.all(found.pairs.map(({ path }) => textOf(found.find(path))))).toEqual(['north', 'south']);
    expect(found.warnings).toEqual(['The list is ward/pairs.csv; left aside: ward/notes/more.csv.']);
  });

  it('are found by their names where the list has other paths, which is said, but not where several are called so', async () => {
    const list = '{"file_name":"C:\\\\scans\\\\a.png","text":"one"}\n{"file_name":"/data/b.png","text":"two"}\n';
    const { pairs, find, warnings } = await chosenPairs(chosen({ 'list.jsonl': list, 'a.png': 'A', 'x/b.png': 'B', 'y/b.png': 'other B' }));
    expect(await textOf(find(pairs[0].path))).toBe('A');
    expect(() => find(pairs[1].path)).toThrow('several of another folder are called b.png; choose the folder that holds the list.');
    expect(() => find('gone.png')).toThrow('gone.png is not among the chosen files; choose the folder that holds the list');
    expect(warnings).toEqual(["1 picture was found by the name alone, since the list's paths are not among the chosen files."]);
  });

  it('may bring a caption beside each picture, in the order in which people count', async () => {
    const { name, pairs } = await chosenPairs(
      chosen({
        'films/10.png': '',
        'films/10.txt': 'ten',
        'films/2.PNG': '',
        'films/2.txt': ' two \n',
        'films/3.png': '',
        'films/4.txt': 'none',
      }),
    );
    expect([name, pairs.map(({ image, text, line }) => [image, text, line])]).toEqual([
      'films',
      [
        ['films/2.PNG', 'two', 1],
        ['films/10.png', 'ten', 2],
      ],
    ]);
  });

  it('say which rows are left out, and read UTF-16 and JSON lists as the command line does', async () => {
    const wide = new Uint8Array([0xff, 0xfe, ...[...'image,text\na.png,été\nb.png\n'].flatMap(c => [c.charCodeAt(0), 0])]);
    const read = await chosenPairs(chosen({ 'pairs.csv': wide, 'a.png': '' }));
    expect(read.pairs.map(({ text }) => text)).toEqual(['été']);
    expect(read.warnings).toEqual([expect.stringMatching(/^1 row is left out: pairs\.csv, line 3: 1 fields where the first line has 2/)]);
    const list = await chosenPairs(
      chosen({ 'any.json': '[{"image":"a.png","caption":"one"},\n{"image":"a.png","caption":"two"}]', 'a.png': '' }),
    );
    expect(list.pairs.map(({ text, line }) => [text, line])).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
  });

  it.each([
    [{ 'a.png': '', 'b.png': '' }, /hold no list of pairs .* and no captions beside the pictures/],
    [
      { 'one.csv': 'image,text\n', 'two.csv': 'image,text\n' },
      /Several of the chosen files could be the list of pairs \(one\.csv, two\.csv\)/,
    ],
    [{ 'pairs.csv': 'image,text\n' }, /pairs\.csv lists no pairs/],
    [{ 'pairs.csv': '' }, /pairs\.csv is empty; its first line should name/],
    [{ 'pairs.csv': 'picture,words\na,b\n' }, /has no column for the image \(its columns are picture, words\)/],
    [{ 'metadata.parquet': 'PAR1' }, /is a parquet file, which this page does not read; .* narrows studio/],
    [{ 'pairs.jsonl': '{"image": 3, "text": "a"}\n' }, /lists no pairs: pairs\.jsonl, line 1, must give image and text as texts/],
    [{ 'pairs.json': '{"image": ' }, /pairs\.json is not valid JSON/],
  ])('are refused in a sentence: %o', async (files, sentence) => {
    await expect(chosenPairs(chosen(files))).rejects.toThrow(sentence);
  });
});
