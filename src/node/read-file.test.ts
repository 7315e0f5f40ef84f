import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig, readJson, sha256File } from '../checkpoints/disk.ts';
import { AnswersFile } from '../generation/answers-file.ts';
import { textChunks } from '../inputs/text-file.ts';
import { CellStore } from '../jobs/store.ts';
import { NarrowsError } from '../system/errors.ts';
import { readChatData } from '../tuning/llava/data.ts';
import { AppendFile } from '../tuning/tracking/append-file.ts';
import { AppendLog } from './append-log.ts';
import { readRange } from './files.ts';
import { readFile, readFileSync, readPieces } from './read-file.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-read-'));
  await writeFile(join(root, 'a.json'), '{"a":"é"}');
});
afterAll(() => rm(root, { recursive: true }));

it('reads files as Node does, with its errors', async () => {
  expect(await readFile(join(root, 'a.json'), 'utf8')).toBe('{"a":"é"}');
  expect([...(await readFile(join(root, 'a.json')))].slice(0, 2)).toEqual([0x7b, 0x22]);
  await expect(readFile(join(root, 'b'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readFile(root)).rejects.toMatchObject({ code: 'EISDIR' });
});

it.skipIf(process.platform === 'win32')('refuses what never ends: a device behind a link, a pipe that nobody writes', async () => {
  await symlink('/dev/zero', join(root, 'config.json'));
  await expect(readJson(join(root, 'config.json'))).rejects.toThrow(
    /Cannot read .*config\.json: it is a device, or a link to one; give a file/,
  );
  await expect(readConfig(root)).rejects.toThrow(/config\.json/);
  await expect(readJson('/dev/zero')).rejects.toThrow(/it is a device/);
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await expect(readJson(join(root, 'pipe'))).rejects.toThrow(/pipe: it is a named pipe/);
});

it.skipIf(process.platform === 'win32')(
  'refuses it in every way to read: in pieces, by ranges, as lines, as a log that grows, for a hash',
  async () => {
    const [zeros, pipe] = ['zeros', 'other-pipe'].map(name => join(root, name));
    await symlink('/dev/zero', zeros);
    execFileSync('mkfifo', [pipe]);
    const ways: Readonly<Record<string, (path: string) => unknown>> = {
      hash: sha256File,
      range: path => readRange(path, 0, 8),
      'at once': async path => readFileSync(path),
      pieces: async path => {
        for await (const _ of readPieces(path)) break;
      },
      log: path => AppendLog.open(path),
      'log to look at': path => AppendLog.open(path, true),
      cells: path => CellStore.open(path, { kind: 'test', version: 1, schema: z.unknown() }),
      answers: path => AnswersFile.open(path),
      figures: async path => new AppendFile(path),
      conversations: path => readChatData(path, { skipMissing: false }),
      text: async path => {
        for await (const _ of textChunks(path)) break;
      },
    };
    for (const [name, read] of Object.entries(ways))
      for (const [path, what] of [
        [zeros, /it is (a device, or a link to one; give a file|no file; save the text as a file)\.$/],
        [pipe, /it is a named pipe(, or a link to one; give a file|; save the text as a file)\.$/],
      ] as const) {
        const error = await Promise.resolve(read(path)).catch((reason: Error) => reason);
        expect(error, name).toBeInstanceOf(NarrowsError);
        expect((error as Error).message, name).toMatch(what);
      }
    // A file is still one in all these ways.
    const file = join(root, 'plain.txt');
    await writeFile(file, 'abc');
    const pieces: string[] = [];
    for await (const piece of readPieces(file, { size: 2 })) pieces.push(piece.toString());
    expect(pieces).toEqual(['ab', 'c']);
    expect(readFileSync(file, 'utf8')).toBe('abc');
    expect(await sha256File(file)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  },
);

it.skipIf(!existsSync('/dev/fd') || !existsSync('/bin/bash'))('reads what a shell gives for <(command), and standard input', async () => {
  const script = `import { readJson } from '${new URL('../checkpoints/disk.ts', import.meta.url)}'; console.log(JSON.stringify([await readJson(process.argv[1]), await readJson('/dev/stdin')]))`;
  const call = `echo '{"b":2}' | "${process.execPath}" --import tsx --input-type=module --eval '${script.replaceAll("'", '"')}' <(echo '{"a":1}')`;
  expect(JSON.parse(execFileSync('/bin/bash', ['-c', call], { encoding: 'utf8' }))).toEqual([{ a: 1 }, { b: 2 }]);
});
