import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeImage, imageSize } from '../image/decode.ts';
import { PAIR_COLUMNS } from './pair-rows.ts';
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

  it('refuses names that repeat, and says which columns are there', async () => {
    await expect(readPairs(list('twice.csv', 'image,text,text\na.png,a,b\n'))).rejects.toThrow(/two columns are called "text"/);
    await expect(readPairs(list('other.csv', 'picture,words\na.png,a\n'))).rejects.toThrow(
      /has no column for the image \(its columns are picture, words\); name it one of image,/,
    );
    // Columns without a name are passed over, such as after a comma at the end.
    expect((await readPairs(list('trail.csv', 'image,text,,\na.png,a,,\n')))[0].text).toBe('a');
    expect((await readPairs(list('sep.csv', 'sep=;\nimage;text\na.png;a, b\n')))[0]).toMatchObject({ text: 'a, b', line: 3 });
  });

  it.each(PAIR_COLUMNS.text)('takes the text from a column "%s", in every form and by the names that the manual lists', async name => {
    const files = [
      list(`${name}.csv`, `image,${name}\na.png,a dog\n`),
      list(`${name}.tsv`, `${name.toUpperCase()}\timage\na dog\ta.png\n`),
      list(`${name}.jsonl`, `{"image": "a.png", "${name}": "a dog"}\n`),
      list(`${name}.json`, `[{"image": "a.png", "${name}": "a dog"}]`),
    ];
    for (const file of files) expect((await readPairs(file)).map(pair => [pair.text, pair.further])).toEqual([['a dog', {}]]);
    for (const page of ['cli.md', 'training.md']) {
      const lines = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8').split('\n');
      expect(
        lines.find(line => line.includes('`sentence`')),
        page,
      ).toContain(`\`${name}\``);
    }
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
    ['columns.csv', 'picture,text\na,b\n', /no column for the image \(.*\); name it one of image/],
    ['ragged.csv', 'image,text\na,b,c\n', /line 2: 3 fields where the first line has 2; put quotes/],
    ['broken.jsonl', '{"image": \n', /line 1 is not valid JSON/],
    ['list.jsonl', '[1]\n', /line 1, is no JSON object/],
    ['number.jsonl', '{"image": 1, "text": "a"}\n', /line 1, must give image and text as texts/],
  ])('refuses %s', async (name, content, says) => {
    await expect(readPairs(list(name, content))).rejects.toThrow(says);
  });
});

describe('lists in parquet', () => {
  const data = (name: string): string => join(import.meta.dirname, 'testdata', name);
  const colours = [
    [200, 0, 0],
    [0, 180, 0],
    [0, 0, 160],
  ];

  it('hold their pictures, which are read by their names in the file, in any order', async () => {
    const file = data('pictures.parquet');
    const pairs = await readPairs(file);
    expect(pairs.map(p => p.image)).toEqual([1, 2, 3].map(row => `pictures.parquet#${row}:image`));
    expect(pairs.map(p => p.text)).toEqual(['a red square', 'a green square', 'a blue square, été']);
    expect(pairs[1]).toMatchObject({ line: 2, where: `${file}, row 2`, path: `${file}#2:image` });
    expect(pairs.map(p => p.further)).toEqual([
      { id: 7, 'image.path': 'red.png' },
      { id: 9007199254740993n, 'image.path': 'green.png' },
      { id: null, 'image.path': 'blue.png' },
    ]);
    for (const i of [2, 0, 1]) expect([...(await decodeImage(pairs[i].path)).data.slice(0, 3)]).toEqual(colours[i]);
    expect(await imageSize(pairs[2].path)).toMatchObject({ width: 6, height: 4 });
  });

  it('are read anew where the file has changed', async () => {
    const file = join(directory, 'changing.parquet');
    copyFileSync(data('pictures.parquet'), file);
    await decodeImage(`${file}#3:image`);
    copyFileSync(data('bytes.parquet'), file);
    await expect(decodeImage(`${file}#3:image`)).rejects.toThrow(/has no picture in column image of row 3/);
    expect((await decodeImage(`${file}#1:Image`)).width).toBe(6);
  });

  it('may be columns of bytes, and name what is missing', async () => {
    const file = data('bytes.parquet');
    await expect(readPairs(file)).rejects.toThrow(`${file}, row 2: Image is empty.`);
    const left: string[] = [];
    expect((await readPairs(file, { ignore: m => left.push(m) })).map(p => [p.image, p.text])).toEqual([
      ['bytes.parquet#1:Image', 'a red square'],
    ]);
    expect(left).toHaveLength(1);
    for (const name of ['2:Image', '3:Image', '1:picture'])
      await expect(decodeImage(`${file}#${name}`)).rejects.toThrow(
        /^Image .*bytes\.parquet#.* does not exist: .* has no picture in column/,
      );
    await expect(decodeImage(`${join(directory, 'none.parquet')}#1:image`)).rejects.toThrow(/does not exist; check the path/);
  });

  it.each(['paths.parquet', 'linked.parquet'])('%s: paths begin at the file', async name => {
    const pairs = await readPairs(data(name));
    expect(pairs.map(p => p.path)).toEqual(['red', 'green', 'blue'].map(colour => data(`${colour}.png`)));
  });
});

it('says where a list is broken, and quotes none of it, also to --debug', async () => {
  for (const [name, content] of [
    ['words.jsonl', '{"image":"a.png","text":Mrs Quillfeather}'],
    ['words.json', '[{"image":"a.png","text":Mrs Quillfeather}]'],
    ['words.csv', 'image,text\na.png,Mrs Quillfeather, 45\n'],
  ]) {
    const error = await readPairs(list(name, content)).then(
      () => expect.fail('it was read'),
      e => e,
    );
    expect(error.name).toBe('NarrowsError');
    expect(`${error.message} ${error.stack} ${error.cause}`).not.toMatch(/Quill|Mrs/);
  }
});

describe('findings in place of captions', () => {
  it('are read where they are asked for and no column has captions: between commas or semicolons, or as lists', async () => {
    const csv = list('findings.csv', 'image,Findings,age\na.png,"pleural effusion; nodule, 4.5 mm",60\nb.png,,50\n');
    const pairs = await readPairs(csv, { findings: true });
    expect(pairs.map(p => [p.text, p.findings, p.further])).toEqual([
      [
        'pleural effusion, nodule, 4.5 mm',
        ['pleural effusion', 'nodule', '4.5 mm'],
        { Findings: 'pleural effusion; nodule, 4.5 mm', age: '60' },
      ],
      ['', [], { Findings: '', age: '50' }],
    ]);
    await expect(readPairs(csv)).rejects.toThrow(/has no column for the caption .*; name it one of text, .*title\.$/);
    const jsonl = list('findings.jsonl', '{"image":"a.png","findings":["hernia"," "]}\n{"image":"b.png","findings":null}\n');
    expect((await readPairs(jsonl, { findings: true })).map(p => p.findings)).toEqual([['hernia'], []]);
    await expect(readPairs(list('wrong.jsonl', '{"image":"a.png","findings":3}'), { findings: true })).rejects.toThrow(
      'wrong.jsonl, line 1: findings must be a text with findings between commas or semicolons, or a list of texts.',
    );
    const both = await readPairs(list('both.csv', 'image,text,findings\na.png,a cat,b; c\n'), { findings: true });
    expect([both[0].text, both[0].findings, both[0].further]).toEqual(['a cat', undefined, { findings: 'b; c' }]);
  });
});
