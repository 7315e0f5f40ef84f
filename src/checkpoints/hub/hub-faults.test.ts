/** @file The hub client where the hub, the cache or a clock misbehaves: cut and silent answers, endless lists, planted links, locks of the future. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountDisk } from '../../testing/disks.ts';
import { type ResolveOptions, resolveModel } from './hub.ts';
import { withLock } from './lock.ts';

const COMMIT = 'ab'.repeat(20);
const NEXT = 'cd'.repeat(20);
const files: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type": "siglip"}'),
  'tokenizer.json': Buffer.from('{"model": {}}'),
  'model.safetensors': Buffer.alloc(5000, 'weights of a model '),
};
const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const listing = Object.entries(files).map(([path, bytes]) => ({
  ...{ type: 'file', path, size: bytes.length, oid: 'f'.repeat(40) },
  lfs: { oid: hash(bytes), size: bytes.length, pointerSize: 130 },
}));

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

let server: Server;
let address: string;
let cache: string;
let commit: string;
let requests: string[];
/** Answers a request itself where it returns true. */
let answer: Answer;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), 'narrows-hub-faults-'));
  [commit, requests, answer] = [COMMIT, [], () => false];
  server = createServer((request, response) => {
    const url = request.url ?? '';
    requests.push(url);
    if (answer(request, response)) return;
    const json = (body: unknown): unknown => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (url.includes('/revision/')) json({ _id: '1', id: 'org/name', sha: commit, lastModified: '2026-01-01' });
    else if (url.includes('/tree/')) json(listing);
    else response.end(files[url.split('/').at(-1)!]);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  rmSync(cache, { recursive: true, force: true });
});

const get = (options: ResolveOptions = {}) =>
  resolveModel('org/name', {
    env: { HF_ENDPOINT: address },
    cacheDirectory: cache,
    retries: 2,
    retryDelay: 1,
    stallTimeout: 200,
    ...options,
  });
const repository = (...parts: string[]): string => join(cache, 'models--org--name', ...parts);
/** For the first `times` requests whose address holds `part`. */
const first =
  (times: number, part: string, act: (response: ServerResponse) => void): Answer =>
  (request, response) => {
    if (!request.url?.includes(part) || times-- <= 0) return false;
    act(response);
    return true;
  };
const cut = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-length': 400 }).write('[{"type":', () => response.destroy());
const silent = (response: ServerResponse): void => void response.writeHead(200, { 'content-length': 400 }).write('[{"type":');
const dripping = (response: ServerResponse): void => {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
};

describe("answers of the hub's API", () => {
  test.each([
    ['/revision/', 'cut', cut],
    ['/tree/', 'cut', cut],
    ['/revision/', 'silent', silent],
    ['/tree/', 'silent', silent],
    ['/tree/', 'dripping', dripping],
  ])('%s that are %s are asked for again, and not for ever', { timeout: 60_000 }, async (part, _, act) => {
    answer = first(2, part, act);
    expect((await get()).revision).toBe(COMMIT);
    expect(requests.filter(url => url.includes(part))).toHaveLength(3);
    rmSync(repository(), { recursive: true });
    answer = first(99, part, act);
    await expect(get()).rejects.toThrow(/No connection to .*what is downloaded is kept/);
    expect(existsSync(repository('refs'))).toBe(false);
  });

  test('that never end are left: pages without end, a bomb of gzip', { timeout: 120_000 }, async () => {
    let page = 0;
    answer = (request, response) => {
      if (!request.url?.includes('/tree/')) return false;
      response.setHeader('link', `<${address}/api/models/org/name/tree/${COMMIT}?page=${++page}>; rel="next"`).end(JSON.stringify(listing));
      return true;
    };
    await expect(get({ stallTimeout: 5000 })).rejects.toThrow(/lists org\/name on more than 100 pages/);
    answer = first(1, '/tree/', response => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip();
      gzip.pipe(response);
      const block = Buffer.alloc(1 << 20, ' ');
      const write = (): void => {
        while (!response.destroyed) if (!gzip.write(block)) return void gzip.once('drain', write);
      };
      response.on('close', () => gzip.destroy());
      write();
    });
    const before = process.memoryUsage().rss;
    await expect(get({ stallTimeout: 5000 })).rejects.toThrow(/answers with more than 32 MB/);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
  });

  test('may be gzipped', async () => {
    answer = first(1, '/tree/', response => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(listing))));
    expect((await get()).revision).toBe(COMMIT);
  });
});

describe('a busy hub', () => {
  const busy = (status: number, part: string): Answer => first(99, part, response => void response.writeHead(status).end());

  test.each([
    [429, '/revision/'],
    [503, '/revision/'],
    [502, '/tree/'],
    [429, '/resolve/'],
  ])('(%i for %s) leaves what the cache holds whole, and says so', async (status, part) => {
    const { directory } = await get();
    // The branch has moved on: what is new cannot be had.
    commit = NEXT;
    answer = busy(status, part);
    const warnings: string[] = [];
    // Blobs are there already, so that a request for a file needs a new one.
    if (part === '/resolve/') rmSync(repository('blobs', hash(files['config.json'])));
    const found = get({ onWarning: message => warnings.push(message) });
    if (part === '/resolve/') return expect(await found.catch(e => e.message)).toContain(`is busy (${status})`);
    expect((await found).directory).toBe(directory);
    expect(warnings).toEqual([`${address} is busy (${status}); the cached org/name at ${COMMIT.slice(0, 8)} is used.`]);
  });

  test('is an error where the cache holds nothing, or not all', async () => {
    answer = busy(503, '/revision/');
    await expect(get()).rejects.toThrow('is busy (503): try again later');
    answer = () => false;
    const { directory } = await get();
    rmSync(join(directory, 'model.safetensors'));
    answer = busy(429, '/revision/');
    await expect(get()).rejects.toThrow('is busy (429): try again later');
  });
});

describe('planted links', () => {
  let victim: string;
  beforeEach(() => {
    victim = join(cache, 'victim.txt');
    writeFileSync(victim, 'mine');
  });
  const untouched = (): void => expect(readFileSync(victim, 'utf8')).toBe('mine');

  test('at a partial file are not written through', async () => {
    const blob = repository('blobs', hash(files['model.safetensors']));
    mkdirSync(repository('blobs'), { recursive: true });
    symlinkSync(victim, `${blob}.incomplete`);
    await get();
    untouched();
    expect(lstatSync(blob).isFile()).toBe(true);
    expect(readFileSync(blob).equals(files['model.safetensors'])).toBe(true);
  });

  test('at a blob of the right size are not believed', async () => {
    const blob = repository('blobs', hash(files['model.safetensors']));
    mkdirSync(repository('blobs'), { recursive: true });
    writeFileSync(victim, Buffer.alloc(5000, 'x'));
    symlinkSync(victim, blob);
    await get();
    expect(readFileSync(victim).equals(Buffer.alloc(5000, 'x'))).toBe(true);
    expect(lstatSync(blob).isFile()).toBe(true);
  });

  test('at notes of absent files are not written through', async () => {
    mkdirSync(repository('.no_exist', COMMIT), { recursive: true });
    symlinkSync(victim, repository('.no_exist', COMMIT, 'preprocessor_config.json'));
    await get();
    untouched();
  });

  test('in a snapshot that lead out of the repository count as missing', async () => {
    const { directory } = await get();
    rmSync(join(directory, 'config.json'));
    symlinkSync(victim, join(directory, 'config.json'));
    await expect(get({ localFilesOnly: true })).rejects.toThrow('lacks config.json');
    await get();
    expect(readFileSync(join(directory, 'config.json')).equals(files['config.json'])).toBe(true);
    untouched();
  });

  test('at the folder of the blobs, where it lies on another disk, are followed', async () => {
    const elsewhere = join(cache, 'elsewhere');
    mkdirSync(elsewhere);
    mkdirSync(repository(), { recursive: true });
    symlinkSync(elsewhere, repository('blobs'));
    await get();
    requests.length = 0;
    await get();
    expect(requests).toHaveLength(1);
    expect((await get({ localFilesOnly: true })).revision).toBe(COMMIT);
  });
});

describe('a lock of the future', () => {
  const lock = (): string => join(cache, 'a.lock');
  const date = (seconds: number): void => utimesSync(lock(), new Date(Date.now() + seconds * 1000), new Date(Date.now() + seconds * 1000));

  test('is said, and taken over when its holder shows no life', async () => {
    writeFileSync(lock(), 'another-host 7\n');
    date(3600);
    const warnings: string[] = [];
    const began = performance.now();
    expect(await withLock(lock(), { silence: 600, onWarning: m => warnings.push(m) }, async () => 'done')).toBe('done');
    expect(performance.now() - began).toBeGreaterThan(600);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/a\.lock of process 7 on another-host is dated 36\d\d s in the future \(a clock is wrong\)/);
  });

  test('is waited for while its holder lives', async () => {
    writeFileSync(lock(), 'another-host 7\n');
    date(3600);
    let beats = 0;
    const beat = setInterval(() => {
      if (++beats > 20) {
        clearInterval(beat);
        rmSync(lock());
      } else date(3600 + beats);
    }, 100);
    const warnings: string[] = [];
    await withLock(lock(), { silence: 1000, onWarning: m => warnings.push(m) }, async () => {});
    expect(beats).toBe(21);
    expect(warnings).toHaveLength(1);
  });

  test('of a process that has ended, on a disk that has become read-only, is not tried for ever', async context => {
    const folder = join(cache, 'disk');
    const disk = mountDisk(folder, 'size=64k');
    if (!disk) return context.skip('needs the right to mount');
    try {
      const path = join(folder, 'a.lock');
      writeFileSync(path, `${hostname()} 999999999\n`);
      disk.remount('ro');
      await expect(withLock(path, { signal: AbortSignal.timeout(20_000) }, async () => {})).rejects.toThrow(/Cannot write .*read-only/);
    } finally {
      disk.unmount();
    }
  });

  test('of a process of this machine that has ended is taken over at once', async () => {
    writeFileSync(lock(), `${hostname()} 999999999\n`);
    date(3600);
    const began = performance.now();
    await withLock(lock(), { silence: 60_000 }, async () => {});
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('what is no lock', () => {
  const lock = (name: string): string => join(cache, name);

  test.each([
    ['a folder', (path: string) => mkdirSync(join(path, 'inside'), { recursive: true })],
    ['a link to nowhere', (path: string) => symlinkSync('/nowhere/x', path)],
    ['a pipe', (path: string) => process.platform !== 'win32' && execFileSync('mkfifo', [path])],
  ])('%s in its place is taken away at once', async (name, put) => {
    const path = lock(name);
    put(path);
    expect(await withLock(path, { silence: 60_000 }, async () => readFileSync(path, 'utf8'))).toContain(String(process.pid));
    expect(existsSync(path)).toBe(false);
  });

  test('too much text is judged by its age', async () => {
    writeFileSync(lock('big'), `${hostname()} ${process.pid} ${'x'.repeat(10_000)}`);
    const old = new Date(Date.now() - 120_000);
    utimesSync(lock('big'), old, old);
    expect(await withLock(lock('big'), {}, async () => 'done')).toBe('done');
  });
});
