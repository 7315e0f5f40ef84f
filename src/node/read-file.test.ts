import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig, readJson } from '../checkpoints/disk.ts';
import { readFile } from './read-file.ts';

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

it.skipIf(!existsSync('/dev/fd') || !existsSync('/bin/bash'))('reads what a shell gives for <(command), and standard input', async () => {
  const script = `import { readJson } from '${new URL('../checkpoints/disk.ts', import.meta.url)}'; console.log(JSON.stringify([await readJson(process.argv[1]), await readJson('/dev/stdin')]))`;
  const call = `echo '{"b":2}' | "${process.execPath}" --import tsx --input-type=module --eval '${script.replaceAll("'", '"')}' <(echo '{"a":1}')`;
  expect(JSON.parse(execFileSync('/bin/bash', ['-c', call], { encoding: 'utf8' }))).toEqual([{ a: 1 }, { b: 2 }]);
});
