import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../image/decode.ts';
import { findData, parquetShards } from './data-folder.ts';
import { tableRows } from './read-table.ts';
import { ByteCell, type TableRow, textOf } from './table.ts';

const DATA = fileURLToPath(new URL('../../evaluation/benchmarks/testdata/tables', import.meta.url));
const trap = (name: string): string => join(DATA, 'traps', name);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const all = async (...files: readonly string[]): Promise<TableRow[]> => {
  const rows: TableRow[] = [];
  for (const file of files) for await (const row of tableRows(file)) rows.push(row);
  return rows;
};

/** A row as `rows.json` has it: pictures as hashes of their bytes and pixels. */
async function described(value: unknown): Promise<unknown> {
  if (value instanceof ByteCell) {
    const bytes = await value.read();
    const { width, height, data } = await decodeImage(bytes);
    return { path: value.path ?? null, length: bytes.length, sha256: sha256(bytes), width, height, rgb_sha256: sha256(data) };
  }
  return value;
}

const withoutKind = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !('rgb_sha256' in value)) return value;
  const { mode: _, format: __, ...rest } = value as Record<string, unknown>;
  return rest;
};

const expected = (set: string): Record<string, unknown>[] =>
  (JSON.parse(readFileSync(join(DATA, set, 'rows.json'), 'utf8')) as Record<string, unknown>[]).map(row =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, withoutKind(value)])),
  );

const SETS = readdirSync(DATA, { withFileTypes: true }).filter(entry => entry.isDirectory() && !['traps', 'tsv'].includes(entry.name));
const FILES = SETS.flatMap(({ name }) =>
  ['data', 'other'].flatMap(folder => {
    try {
      return readdirSync(join(DATA, name, folder)).map(file => [name, join(folder, file)] as const);
    } catch {
      return [];
    }
  }),
);

describe('parquet', () => {
  it('has files of every layout', () => expect(FILES.length).toBe(14));

  it.each(FILES)('%s: all rows of %s, pictures to the pixel', async (set, file) => {
    const rows = await all(join(DATA, set, file));
    const found: unknown[] = [];
    for (const { values } of rows) {
      const entries: [string, unknown][] = [];
      for (const [key, value] of Object.entries(values)) entries.push([key, await described(value)]);
      found.push(Object.fromEntries(entries));
    }
    expect(found).toEqual(expected(set));
    expect(rows[4].where).toBe(`${join(DATA, set, file)}, row 5`);
  });

  it.each(['POPE-large-string.parquet', 'POPE-no-metadata.parquet'])('%s has the rows of POPE', async name => {
    const texts = (await all(trap(name))).map(row => textOf(row, 'question'));
    expect(texts).toEqual(expected('POPE').map(row => row.question));
  });

  it('reads shards in their order, one of them without rows, and names one that is missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'narrows-shards-'));
    mkdirSync(join(folder, 'data'));
    const copy = (i: number): void =>
      copyFileSync(trap(`POPE-test-0000${i}-of-00003.parquet`), join(folder, 'data', `test-0000${i}-of-00003.parquet`));
    copy(2);
    copy(0);
    const place = await findData(folder);
    expect(() => parquetShards(place)).toThrow(/2 of the 3 files of test: test-00001-of-00003.parquet is missing/);
    copy(1);
    const [shards, ...more] = parquetShards(await findData(folder));
    expect(more).toEqual([]);
    expect(shards).toMatchObject({ config: 'data', split: 'test' });
    const rows = await all(...shards.files);
    expect(rows.map(row => row.values.id)).toEqual(expected('POPE').map(row => row.id));
  });

  it('reads a picture in any order', async () => {
    const rows = await all(join(DATA, 'POPE/data/test-00000-of-00001.parquet'));
    const want = expected('POPE').map(row => (row.image as { sha256: string }).sha256);
    for (const i of [11, 0, 7, 3, 0, 11]) expect(sha256(await (rows[i].values.image as ByteCell).read())).toBe(want[i]);
  });

  it('keeps a path where there are no bytes', async () => {
    const rows = await all(trap('picture-by-path.parquet'));
    expect(rows.map(({ values }) => [(values.image as ByteCell).path, (values.image as ByteCell).hasBytes])).toEqual([
      ['pictures/a.png', false],
      [expect.stringMatching(/png$/), false],
    ]);
  });

  it.each([
    ['lfs-pointer.parquet', /is a pointer of Git LFS, not the file itself \(41800000 bytes\)/],
    ['empty.parquet', /empty\.parquet is empty \(0 bytes\)/],
    ['cut-short.parquet', /cut-short\.parquet is cut short/],
    ['nowhere.parquet', /Cannot read .*nowhere\.parquet: there is no such file/],
  ])('%s in one sentence', async (name, sentence) => {
    await expect(all(trap(name))).rejects.toThrow(sentence);
  });

  it('names the rows where a page is damaged', async () => {
    const bytes = readFileSync(join(DATA, 'MMMU/other/gzip.parquet'));
    bytes.fill(0xff, 30, 120);
    const file = join(mkdtempSync(join(tmpdir(), 'narrows-damaged-')), 'damaged.parquet');
    writeFileSync(file, bytes);
    await expect(all(file)).rejects.toThrow(/damaged\.parquet, rows 1 to 2 cannot be read as parquet/);
  });

  it('says column, expected and found', async () => {
    const [row] = await all(join(DATA, 'ScienceQA/data/test-00000-of-00001.parquet'));
    expect(() => textOf(row, 'choices')).toThrow(/row 1: column choices should hold text, but holds a list\.$/);
    expect(() => textOf(row, 'answer')).toThrow(/column answer should hold text, but holds a number \(0\)\.$/);
    expect(() => textOf(row, 'text')).toThrow(/column text should hold text, but holds nothing; its columns are image, question, choices/);
  });
});

describe('other layouts of parquet', () => {
  const own = (name: string): string => fileURLToPath(new URL(`./testdata/${name}.parquet`, import.meta.url));
  const BYTES = '\u0089PNG made up';
  const shown = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map(shown));
    if (!(value instanceof ByteCell)) return value;
    return [value.path ?? null, value.hasBytes ? Buffer.from(await value.read()).toString('latin1') : null];
  };

  it.each(['plain', 'no-statistics', 'delta', 'groups-of-one'])('%s: nulls, lists of pictures, large numbers', async name => {
    const rows = await all(own(name));
    const column = (key: string) => Promise.all(rows.map(row => shown(row.values[key])));
    expect(await column('image')).toEqual([[null, BYTES], null, null, ['x.png', BYTES], ['y.png', null], [null, BYTES]]);
    expect(await column('images')).toEqual([
      [
        [null, BYTES],
        [null, BYTES],
      ],
      [],
      null,
      [['z', BYTES]],
      [null],
      [],
    ]);
    expect(await column('raw')).toEqual([[null, BYTES], null, [null, BYTES], [null, ''], [null, BYTES], [null, BYTES]]);
    expect(await column('large')).toEqual([0, 1, 2, 3, 4, 5].map(i => 2n ** 60n + BigInt(i)));
    expect(await column('small')).toEqual([null, 1, 2, 3, 4, 5]);
    expect(await column('options')).toEqual([['a', 'b'], [], null, ['c'], ['d'], ['e']]);
    expect(await column('id')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('reads one page of a large row group', async () => {
    const rows = await all(own('pages'));
    for (const i of [17, 0, 23]) {
      const bytes = await (rows[i].values.raw as ByteCell).read();
      expect([bytes.length, bytes[0], bytes[2 ** 20 - 1]]).toEqual([2 ** 20, i, i]);
    }
  });
});

describe('TSV and others', () => {
  it.each(['POPE.tsv', 'MMStar.tsv', 'MMMU_DEV_VAL.tsv'])('%s: all rows', async name => {
    const want = JSON.parse(readFileSync(join(DATA, 'tsv/rows.json'), 'utf8'))[name] as Record<string, unknown>[];
    const rows = await all(join(DATA, 'tsv', name));
    expect(rows.map(row => row.values)).toEqual(
      want.map(row =>
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, typeof value === 'number' ? String(value) : value])),
      ),
    );
  });

  it('reads CSV, JSON and JSON lines alike', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'narrows-table-'));
    const files = { 'a.csv': 'q,a\n"x, y",1\n', 'a.json': '[{"q":"x, y","a":"1"}]', 'a.jsonl': '{"q":"x, y","a":"1"}\n' };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text);
      expect((await all(join(folder, name))).map(row => row.values)).toEqual([{ q: 'x, y', a: '1' }]);
    }
    writeFileSync(join(folder, 'b.tsv'), 'q\ta\nx\n');
    await expect(all(join(folder, 'b.tsv'))).rejects.toThrow(/line 2: 1 fields where the first line has 2/);
    await expect(all(join(folder, 'a.xlsx'))).rejects.toThrow(/is no table that Narrows reads; give a file of kind parquet, tsv/);
  });
});

describe('the hub cache', () => {
  it('finds a snapshot offline, and says how to get what is missing', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'narrows-hub-'));
    const commit = 'a'.repeat(40);
    const snapshot = join(cache, 'datasets--lmms-lab--POPE/snapshots', commit, 'data');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(cache, 'datasets--lmms-lab--POPE/refs'));
    writeFileSync(join(cache, 'datasets--lmms-lab--POPE/refs/main'), commit);
    copyFileSync(join(DATA, 'POPE/data/test-00000-of-00001.parquet'), join(snapshot, 'test-00000-of-00001.parquet'));
    const env = { HF_HUB_CACHE: cache };
    expect((await findData('lmms-lab/POPE', env)).files).toEqual(['data/test-00000-of-00001.parquet']);
    await expect(findData('lmms-lab/MME', env)).rejects.toThrow(/hf download --repo-type dataset lmms-lab\/MME/);
    await expect(findData('./nowhere', env)).rejects.toThrow(/There is no file or folder \.\/nowhere/);
  });
});
