import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDirectory, readRange, writeFileAtomic } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('makes directories for many callers at once', async () => {
  for (let round = 0; round < 50; round++) {
    const path = join(root, `r${round}`, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeDirectory(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  }
});

it.skipIf(process.platform !== 'linux')('gives up where the file system refuses', async () => {
  await expect(makeDirectory('/proc/narrows/deep/er')).rejects.toThrow('ENOENT');
  await expect(writeFileAtomic('/proc/narrows/x.txt', 'x')).rejects.toThrow('cannot be made there');
});

it('says when a file stands in the way, and leaves it unchanged', async () => {
  const file = join(root, 'file');
  writeFileSync(file, 'mine');
  await expect(writeFileAtomic(join(file, 'x.txt'), 'x')).rejects.toThrow('a part of the path is a file');
  await expect(writeFileAtomic(join(file, 'deep', 'x.txt'), 'x')).rejects.toThrow('a part of the path is a file');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

it('replaces a file whole, and removes what a failed write began', async () => {
  const path = join(root, 'whole', 'data.txt');
  await writeFileAtomic(path, 'one');
  function* broken(): Generator<Uint8Array> {
    yield Buffer.from('half');
    throw new Error('the source broke');
  }
  await expect(writeFileAtomic(path, broken())).rejects.toThrow('the source broke');
  expect(readFileSync(path, 'utf8')).toBe('one');
  expect(readdirSync(join(root, 'whole'))).toEqual(['data.txt']);
});

it('reads exactly the bytes asked for, and says where a file ends too early', async () => {
  const path = join(root, 'range.bin');
  await writeFileAtomic(
    path,
    Uint8Array.from({ length: 10 }, (_, i) => i),
  );
  expect([...(await readRange(path, 3, 4))]).toEqual([3, 4, 5, 6]);
  expect((await readRange(path, 3, 0)).length).toBe(0);
  await expect(readRange(path, 8, 4)).rejects.toThrow(/range\.bin ends at byte 10/);
  await expect(readRange(join(root, 'none'), 0, 1)).rejects.toThrow(/none: there is no such file/);
});
