import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explain } from '../cli/errors.ts';
import { NarrowsError } from '../system/errors.ts';
import { mountDisk } from '../testing/disks.ts';
import { LOCK_FILE, lockOutput } from './output-lock.ts';
import { isAlive, thisProcess } from './process-identity.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-lock-'));
});
afterAll(() => rm(root, { recursive: true }));

const fake = (more: object): string =>
  `${JSON.stringify({ ...thisProcess(), command: 'narrows train tune', since: '2026-11-01T10:20:30.000Z', token: 'other', ...more })}\n`;

it('lets one in at a time, by any name of the directory, and names the one that is in', async () => {
  const directory = join(root, 'a');
  const first = await lockOutput(directory, 'directory', { command: 'narrows roar' });
  await symlink(directory, join(root, 'alias'));
  for (const path of [directory, `${directory}/`, join(root, 'alias')])
    await expect(lockOutput(path)).rejects.toThrow(
      new RegExp(
        `is in use by narrows roar, process ${process.pid} on ${hostname()} since .* UTC; wait until it has ended, or choose another output`,
      ),
    );
  await first.release();
  await expect(readdir(directory)).rejects.toThrow('ENOENT');
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockOutput(directory)));
  expect(all.filter(r => r.status === 'fulfilled')).toHaveLength(1);
  for (const r of all) if (r.status === 'fulfilled') await r.value.release();
});

it('locks a file, and leaves other files of its directory open', async () => {
  await using lock = await lockOutput(join(root, 'rows.jsonl'), 'file');
  await expect(lockOutput(join(root, 'rows.jsonl'), 'file')).rejects.toThrow(/rows.jsonl is in use/);
  await using other = await lockOutput(join(root, 'other.jsonl'), 'file');
  expect([lock.takenOver, other.takenOver]).toEqual([undefined, undefined]);
});

it('takes over from the dead and says from whom: killed, of the same number, cut short', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const { birth } = {
    birth: await readFile(`/proc/${child.pid}/stat`, 'utf8').then(
      t => t.split(') ').at(-1)!.split(' ')[19],
      () => undefined,
    ),
  };
  const lock = join(root, 'b', LOCK_FILE);
  await mkdir(join(root, 'b'));
  await writeFile(lock, fake({ pid: child.pid, birth }));
  expect(isAlive({ pid: child.pid!, birth })).toBe(true);
  await expect(lockOutput(join(root, 'b'))).rejects.toThrow(`process ${child.pid}`);
  // The same number, but it began at another time.
  if (birth) expect(isAlive({ pid: child.pid!, birth: `${Number(birth) + 1}` })).toBe(false);
  const ended = new Promise(done => child.on('exit', done));
  child.kill('SIGKILL');
  await ended;
  const over = await lockOutput(join(root, 'b'));
  expect(over.takenOver).toContain(`narrows train tune, process ${child.pid} on ${hostname()}, which has ended`);
  await over.release();
  // Process 1 of the container that ran before this one.
  await writeFile(lock, fake({}));
  await (await lockOutput(join(root, 'b'))).release();
  await writeFile(lock, '{"pid": 1');
  await (await lockOutput(join(root, 'b'))).release();
});

it('leaves a lock of another machine while that shows life, and says how to be rid of it', async () => {
  const lock = join(root, 'c', LOCK_FILE);
  await mkdir(join(root, 'c'));
  await writeFile(lock, fake({ host: 'elsewhere', pid: 7 }));
  await expect(lockOutput(join(root, 'c'))).rejects.toThrow(
    /process 7 on elsewhere since 2026-11-01 10:20 UTC; .*delete .*\.narrows\.lock if/,
  );
  const old = new Date(Date.now() - 3_600_000);
  await utimes(lock, old, old);
  await (await lockOutput(join(root, 'c'))).release();
});

it('removes half-written files, and nothing else', async () => {
  await mkdir(join(root, 'd', 'pairs'), { recursive: true });
  for (const name of ['x.json.0123456789ab.tmp', 'pairs/y.png.0123456789ab.tmp', 'mine.tmp', 'z.json'])
    await writeFile(join(root, 'd', name), '');
  await using _ = await lockOutput(join(root, 'd'), 'directory', { folders: ['pairs', 'not there'] });
  expect((await readdir(join(root, 'd'), { recursive: true })).sort()).toEqual([LOCK_FILE, 'mine.tmp', 'pairs', 'z.json']);
});

it.skipIf(process.platform !== 'linux')('says in one sentence where nothing can be written', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(lockOutput(join(root, 'file'))).rejects.toThrow('a part of the path is a file');
  await expect(lockOutput('/proc/narrows/x')).rejects.toThrow('cannot be made there');
});

it('is refused in one sentence where something else stands in its place', async () => {
  const place = async (name: string, put: (path: string) => Promise<unknown>): Promise<string> => {
    await mkdir(join(root, name));
    await put(join(root, name, LOCK_FILE));
    return join(root, name);
  };
  const refused = async (directory: string, what: string): Promise<void> => {
    await expect(lockOutput(directory)).rejects.toThrow(
      `${LOCK_FILE} is ${what} where the lock of the output must stand; delete it, or choose another output.`,
    );
    // Refused again: nothing of the first try is left.
    await expect(lockOutput(directory)).rejects.toThrow(what);
  };
  await refused(await place('folder', path => mkdir(path)), 'a directory');
  await refused(await place('nowhere', path => symlink(join(root, 'gone', 'x'), path)), 'a link');
  await writeFile(join(root, 'target'), fake({ pid: 2 ** 22 + 1 }));
  await refused(await place('linked', path => symlink(join(root, 'target'), path)), 'a link');
  if (process.platform !== 'win32') await refused(await place('pipe', async path => execFileSync('mkfifo', [path])), 'no file');
});

it.each([
  ['null', 'null'],
  ['a number of no process', fake({ pid: 0 })],
  ['a negative one', fake({ pid: -1 })],
  ['a broken one', fake({ pid: 1.5 })],
  ['more than a lock', 'x'.repeat(70_000)],
])('that says %s is none', async (name, text) => {
  const directory = join(root, name);
  await mkdir(directory);
  await writeFile(join(directory, LOCK_FILE), text);
  const old = new Date(Date.now() - 60_000);
  await utimes(join(directory, LOCK_FILE), old, old);
  await using lock = await lockOutput(directory);
  expect(lock.takenOver).toBeUndefined();
});

it('whose words are no texts is named without them', async () => {
  const directory = join(root, 'words');
  await mkdir(directory);
  await writeFile(join(directory, LOCK_FILE), fake({ pid: process.ppid, birth: undefined, command: 7, since: 7 }));
  await expect(lockOutput(directory)).rejects.toThrow(`is in use by narrows, process ${process.ppid} on ${hostname()}; wait until`);
});

it('says where its output was removed or replaced meanwhile; what went wrong before that is told first', async () => {
  const directory = join(root, 'removed');
  const first = await lockOutput(directory, 'directory', { command: 'narrows train tune' });
  await rm(directory, { recursive: true });
  await expect(first.release()).rejects.toThrow(
    /removed was removed or replaced while narrows train tune wrote to it.*run the same call again/,
  );
  await first.release();
  const second = await lockOutput(directory);
  await writeFile(join(directory, LOCK_FILE), fake({ pid: process.ppid, birth: undefined }));
  await expect(second.release()).rejects.toThrow(/was removed or replaced/);
  // Another one's lock is not taken away.
  expect(await readdir(directory)).toEqual([LOCK_FILE]);
  await rm(directory, { recursive: true });
  const failing = async (): Promise<void> => {
    await using _ = await lockOutput(directory);
    await rm(directory, { recursive: true });
    throw new NarrowsError('The first sentence.');
  };
  expect(explain(await failing().catch(error => error))).toEqual({ text: 'The first sentence.', code: 1 });
});

it('of a process that has ended, on a disk that has become read-only, is no holder: the disk is named', async context => {
  const directory = join(root, 'read-only');
  const disk = mountDisk(directory, 'size=64k');
  if (!disk) return context.skip('needs the right to mount');
  try {
    const dead = fake({ pid: 2 ** 22 + 1, birth: undefined });
    await writeFile(join(directory, LOCK_FILE), dead);
    await writeFile(join(directory, '.rows.jsonl.lock'), dead);
    disk.remount('ro');
    await expect(lockOutput(directory)).rejects.toThrow(/Cannot write .*the file system is read-only/);
    await expect(lockOutput(join(directory, 'rows.jsonl'), 'file')).rejects.toThrow(/Cannot write .*the file system is read-only/);
    // Where there is room again, the dead lock is taken over.
    disk.remount('rw');
    await using lock = await lockOutput(directory);
    expect(lock.takenOver).toContain('which has ended');
  } finally {
    disk.unmount();
  }
});

it('leaves no empty lock on a full disk', async context => {
  const directory = join(root, 'full');
  const disk = mountDisk(directory, 'size=4k');
  if (!disk) return context.skip('needs the right to mount');
  try {
    await writeFile(join(directory, 'all'), Buffer.alloc(4096));
    await expect(lockOutput(directory)).rejects.toThrow(/Cannot write .*the disk is full/);
    expect(await readdir(directory)).toEqual(['all']);
  } finally {
    disk.unmount();
  }
});
