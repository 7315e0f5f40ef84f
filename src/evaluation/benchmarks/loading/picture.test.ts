import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findData } from '../../../inputs/tables/data-folder.ts';
import { ByteCell } from '../../../inputs/tables/table.ts';
import { table } from '../testing/fixtures.ts';
import { Pictures } from './picture.ts';

const PNG = table('traps/pictures/a.png');
const base64 = readFileSync(PNG).toString('base64');

async function place() {
  const folder = mkdtempSync(join(tmpdir(), 'narrows-picture-'));
  for (const path of ['val2014/a.png', 'deep/er/b.png', 'c.png']) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    cpSync(PNG, join(folder, path));
  }
  return { row: { values: {}, where: 'q.jsonl, line 3', file: join(folder, 'q.jsonl') }, place: await findData(folder) };
}

describe('pictures of rows', () => {
  it('are found next to the file, in the usual folders, by their name anywhere below, or by a whole path', async () => {
    const { row, place: where } = await place();
    const pictures = new Pictures(where, {}, ['val2014']);
    for (const name of ['c.png', 'a.png', 'images/b.png', 'b.png', PNG]) {
      const picture = pictures.of(name, row, 'image');
      expect(picture?.id).toBe(name);
      expect(Buffer.from((await picture?.bytes?.()) ?? []).toString('base64')).toBe(base64);
    }
    expect(() => pictures.of('d.png', row, 'image')).toThrow(
      /^q\.jsonl, line 3: the picture d\.png is neither next to the file nor below .* \(val2014\); put the pictures there\.$/,
    );
    // Where only answers are scored, a picture is missed when it is read.
    const scored = new Pictures(where, { answersOnly: true });
    await expect(scored.of('d.png', row, 'image')?.read()).rejects.toThrow('the picture d.png is neither next to the file');
  });

  it('are read from base64 text, addresses of data, and records of bytes and path', async () => {
    const { row, place: where } = await place();
    const pictures = new Pictures(where, {});
    for (const cell of [
      base64,
      `data:image/png;base64,${base64}`,
      `${base64.slice(0, 60)}\n${base64.slice(60)}`,
      { bytes: base64, path: null },
    ]) {
      const picture = pictures.of(cell, row, 'image');
      expect(picture?.source).toBe('q.jsonl, line 3, column image');
      expect((await picture?.read())?.width).toBeGreaterThan(0);
    }
    expect(pictures.of({ bytes: null, path: 'c.png' }, row, 'image')?.id).toBe('c.png');
    expect(pictures.of({ bytes: base64, path: 'z.png' }, row, 'image')?.id).toBe('z.png');
    expect(pictures.of({ bytes: base64 }, row, 'image')?.id).toBe('q.jsonl, line 3, column image');
    for (const empty of [null, undefined, '']) expect(pictures.of(empty, row, 'image')).toBeUndefined();
  });

  it('are read from the bytes of a cell, or from the file that it names', async () => {
    const { row, place: where } = await place();
    const pictures = new Pictures(where, {});
    const bytes = new Uint8Array([1, 2]);
    const of = (path: string | undefined, hasBytes: boolean, id?: string) =>
      pictures.of(new ByteCell('t.parquet, row 3', path, hasBytes, async () => bytes), row, 'image', id);
    for (const [picture, id] of [
      [of('x.png', true), 'x.png'],
      [of(undefined, true), 't.parquet, row 3'],
      [of('x.png', true, 'seven'), 'seven'],
    ] as const)
      expect([picture?.id, picture?.source, await picture?.bytes?.()]).toEqual([id, 't.parquet, row 3', bytes]);
    expect(Buffer.from((await of('c.png', false)?.bytes?.()) ?? []).toString('base64')).toBe(base64);
  });

  it('say what is wrong with file and row', async () => {
    const { row, place: where } = await place();
    const pictures = new Pictures(where, {});
    await expect(pictures.of(`data:image/png;base64,${base64.slice(0, 41)}`, row, 'image')?.read()).rejects.toThrow(
      /^q\.jsonl, line 3, column image: the picture is no base64 text/,
    );
    await expect(pictures.of(base64.slice(0, 60), row, 'image')?.read()).rejects.toThrow(
      /q\.jsonl, line 3, column image is damaged or cut short/,
    );
    expect(() => pictures.of(7, row, 'image')).toThrow(/^q\.jsonl, line 3, column image should hold a picture .*, but holds a number\.$/);
  });
});
