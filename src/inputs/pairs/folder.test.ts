/** Folders of pictures as lists of pairs: what counts as a picture, in which order, and where captions come from. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { listPairs } from './list-pairs.ts';

const folder = mkdtempSync(join(tmpdir(), 'narrows-folder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const film = fileURLToPath(new URL('../image/dicom/testdata/mono2-8.dcm', import.meta.url));
const picture = fileURLToPath(new URL('../image/testdata/one.png', import.meta.url));

/** A folder with films as archives write them, pictures, and other files. */
function archive(name: string): string {
  const path = join(folder, name);
  for (const one of ['study 2', 'study 10', 'maps']) mkdirSync(join(path, one), { recursive: true });
  for (const one of ['study 10/IM0001', 'study 2/IM0010', 'study 2/IM0002', 'DICOMDIR', 'a.dcm', 'maps/old.dcm'])
    copyFileSync(film, join(path, one));
  copyFileSync(picture, join(path, 'B.PNG'));
  for (const one of ['readme', 'table.xls']) writeFileSync(join(path, one), 'no picture '.repeat(30));
  return path;
}

it('one caption for all: films by what they hold, pictures by their names, in the order in which people count', async () => {
  const path = archive('one');
  const warnings: string[] = [];
  const { pairs, file } = await listPairs(path, { text: 'a cat', except: join(path, 'maps'), onWarning: w => warnings.push(w) });
  expect(file).toBe(path);
  expect(pairs.map(p => [p.image, p.line, p.text])).toEqual(
    ['a.dcm', 'B.PNG', 'study 2/IM0002', 'study 2/IM0010', 'study 10/IM0001'].map((image, i) => [image, i + 1, 'a cat']),
  );
  expect(pairs[2].path).toBe(join(path, 'study 2/IM0002'));
  expect(warnings).toEqual([`3 files of ${path} are no pictures and are left out: DICOMDIR, readme, table.xls.`]);
});

it('without one, the folder’s own list, or texts beside pictures; else a sentence', async () => {
  const path = archive('two');
  await expect(listPairs(path)).rejects.toThrow(/two holds no list of pairs \(metadata\.jsonl, .*give one caption for all\.$/);
  writeFileSync(join(path, 'B.txt'), ' a dog\n');
  expect((await listPairs(path)).pairs.map(p => [p.path, p.text])).toEqual([[join(path, 'B.PNG'), 'a dog']]);
  writeFileSync(join(path, 'reports.csv'), 'image,text\na.dcm,a hat\n');
  const { pairs, file } = await listPairs(path);
  expect([file, pairs[0].text]).toEqual([join(path, 'reports.csv'), 'a hat']);
  await expect(listPairs(file, { text: 'b' })).rejects.toThrow('brings its own captions');
  mkdirSync(join(folder, 'empty'));
  await expect(listPairs(join(folder, 'empty'), { text: 'b' })).rejects.toThrow('empty holds no pictures');
});
