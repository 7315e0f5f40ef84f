/** @file The hub client against a local server that speaks the hub's protocol: layout, resumption, hashes, busy and broken lines, refusals. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { openCheckpoint } from '../disk.ts';
import { listCached } from './cache.ts';
import { type DownloadProgress, type ResolveOptions, resolveModel } from './hub.ts';
import { retryAfter } from './request.ts';
import { accessToken, cacheDirectory, hubEndpoint, isOffline } from './settings.ts';
import { COMMIT, gitSha1, type Interference, StandInHub, sha256 } from './testing/stand-in-hub.ts';

/** 300 kB that differ everywhere. */
const weights = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, i) => Math.imul(i + 1, 2_654_435_761)).buffer);

const FILES: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type": "clip"}'),
  'preprocessor_config.json': Buffer.from('{}'),
  'tokenizer.json': Buffer.from('{"model": {}}'),
  'vocab.json': Buffer.from('{}'),
  'README.md': Buffer.from('# Readme'),
  'pytorch_model.bin': Buffer.from('pickle'),
  'model.safetensors': weights,
};

let hub: StandInHub;
let cache: string;
const env = (extra: Record<string, string> = {}): Record<string, string> => ({
  HF_ENDPOINT: hub.address,
  HF_HUB_CACHE: cache,
  HF_HOME: cache,
  ...extra,
});
const get = (ref = 'org/name', options: ResolveOptions = {}) => resolveModel(ref, { env: env(), retryDelay: 1, retries: 3, ...options });
const repository = (...parts: string[]): string => join(cache, 'models--org--name', ...parts);
const weightsBlob = (): string => repository('blobs', sha256(weights));
const expectWeights = (): void => expect(readFileSync(weightsBlob()).equals(weights)).toBe(true);
const isCdn = (request: IncomingMessage): boolean => request.url === '/cdn/model.safetensors';

/** Every file and link below a directory. */
function tree(directory: string, root = directory): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap(entry => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return tree(path, root);
      return [relative(root, path) + (entry.isSymbolicLink() ? ` -> ${readlinkSync(path)}` : '')];
    })
    .sort();
}

beforeEach(async () => {
  hub = await new StandInHub(FILES).start();
  cache = mkdtempSync(join(tmpdir(), 'narrows-hub-'));
});

afterEach(async () => {
  await hub.stop();
  rmSync(cache, { recursive: true, force: true });
});

describe('a download', () => {
  test("takes a tokenizer's other files where there is no tokenizer.json", async () => {
    const { 'tokenizer.json': _, ...files } = hub.files;
    hub.files = { ...files, 'spiece.model': Buffer.from('pieces'), 'tokenizer.model': Buffer.from('other pieces') };
    const { directory } = await get();
    for (const name of ['spiece.model', 'tokenizer.model', 'vocab.json'])
      expect(readFileSync(join(directory, name)).equals(hub.files[name])).toBe(true);
  });

  test("lies in Python's layout, byte for byte, needed files only", async () => {
    const found = await get();
    expect(found).toEqual({ directory: repository('snapshots', COMMIT), name: 'org/name', revision: COMMIT });
    const needed = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json'];
    const blob = (name: string): string => (name === 'model.safetensors' ? sha256 : gitSha1)(hub.files[name]);
    const absent = tree(repository('.no_exist', COMMIT));
    expect(absent).toContain('processor_config.json');
    expect(absent).not.toContain('vocab.json');
    expect(tree(repository()).filter(path => !path.startsWith('.no_exist'))).toEqual(
      [
        ...needed.map(name => `blobs/${blob(name)}`),
        'refs/main',
        ...needed.map(name => `snapshots/${COMMIT}/${name} -> ../../blobs/${blob(name)}`),
      ].sort(),
    );
    expect(readFileSync(repository('refs', 'main'), 'utf8')).toBe(COMMIT);
    for (const name of needed) expect(readFileSync(join(found.directory, name)).equals(hub.files[name])).toBe(true);
    expect(existsSync(join(cache, '.locks')) ? tree(join(cache, '.locks')) : []).toEqual([]);
    expect(hub.log.filter(line => line.includes('pytorch_model'))).toEqual([]);
  });

  test('is done once: one request for a branch, none for a commit', async () => {
    await get();
    hub.log.length = 0;
    await get();
    expect(hub.log).toEqual(['GET /api/models/org/name/revision/main']);
    await get(`org/name@${COMMIT}`);
    expect(hub.log).toHaveLength(1);
    expect((await get('org/name', { revision: 'v1' })).revision).toBe(COMMIT);
    expect(readFileSync(repository('refs', 'v1'), 'utf8')).toBe(COMMIT);
    expect(hub.log).toHaveLength(2);
  });

  test('tells its progress in bytes', async () => {
    const seen: DownloadProgress[] = [];
    await get('org/name', { onProgress: progress => seen.push(progress) });
    const all = 22 + 2 + 13 + weights.length;
    const of = seen.filter(({ file }) => file === 'model.safetensors');
    expect(of[0]).toMatchObject({ status: 'initiate', loaded: 0, total: weights.length, totalAll: all });
    expect(of[of.length - 1]).toMatchObject({ status: 'done', loaded: weights.length, loadedAll: all });
    expect(seen.every((one, i) => i === 0 || one.loadedAll >= seen[i - 1].loadedAll)).toBe(true);
  });

  test('finds what Python has downloaded', async () => {
    mkdirSync(repository('blobs'), { recursive: true });
    mkdirSync(repository('snapshots', COMMIT), { recursive: true });
    writeFileSync(weightsBlob(), weights);
    symlinkSync(`../../blobs/${sha256(weights)}`, repository('snapshots', COMMIT, 'model.safetensors'));
    await get();
    expect(hub.log.some(line => line.includes('model.safetensors'))).toBe(false);
  });

  test('follows a shard index', async () => {
    const index = { weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } };
    const { 'model.safetensors': _, ...rest } = hub.files;
    const shards = { 'model-00001-of-00002.safetensors': Buffer.from('one'), 'model-00002-of-00002.safetensors': Buffer.from('two') };
    hub.files = { ...rest, ...shards, 'model.safetensors.index.json': Buffer.from(JSON.stringify(index)), 'other.safetensors': weights };
    const { directory } = await get();
    expect(readdirSync(directory).filter(name => name.includes('safetensors'))).toEqual([
      ...Object.keys(shards),
      'model.safetensors.index.json',
    ]);
    rmSync(join(directory, 'model-00002-of-00002.safetensors'));
    await expect(get('org/name', { localFilesOnly: true })).rejects.toThrow('lacks model-00002-of-00002.safetensors');
    hub.files['model.safetensors.index.json'] = Buffer.from('{"weight_map": {"a": "../../x.safetensors"}}');
    rmSync(repository(), { recursive: true });
    await expect(get()).rejects.toThrow('is not a shard index');
  });

  test('sends the token to the hub, and to no other host', async () => {
    const other = await new StandInHub(FILES).start();
    hub.interfere = (request, response) => {
      if (!isCdn(request)) return false;
      response.writeHead(302, { location: `${other.address}/cdn/model.safetensors` }).end();
      return true;
    };
    await get('org/name', { env: env({ HF_TOKEN: 'secret' }) });
    await other.stop();
    expect([...hub.tokens]).toEqual(['Bearer secret']);
    expect([...other.tokens]).toEqual([undefined]);
  });
});

describe('a broken line', () => {
  /** Ends the first `times` answers for the weights after `bytes` bytes. */
  const cut =
    (times: number, bytes: number): Interference =>
    (request, response) => {
      if (!isCdn(request) || times-- <= 0) return false;
      const from = Number(request.headers.range?.match(/\d+/)?.[0] ?? 0);
      hub.ranges.push(request.headers.range);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': weights.length - from });
      response.write(weights.subarray(from, from + bytes), () => response.destroy());
      return true;
    };

  test('is taken up where it was cut', async () => {
    hub.interfere = cut(2, 100_000);
    await get();
    expectWeights();
    const resumed = hub.ranges.filter(range => range !== undefined).map(range => Number(range.match(/\d+/)?.[0]));
    expect(resumed).toHaveLength(2);
    expect(resumed[0]).toBeGreaterThan(0);
    expect(resumed[1]).toBeGreaterThan(resumed[0]);
  });

  test('that stays cut leaves the part for the next run', async () => {
    hub.interfere = cut(1, 100_000);
    const failing = hub.interfere;
    hub.interfere = (request, response) => {
      if (failing(request, response)) return true;
      if (isCdn(request)) response.destroy();
      return isCdn(request);
    };
    await expect(get()).rejects.toThrow(/No connection to .*what is downloaded is kept/);
    expect(existsSync(weightsBlob())).toBe(false);
    expect(existsSync(repository('refs', 'main'))).toBe(false);
    const kept = lstatSync(`${weightsBlob()}.incomplete`).size;
    expect(kept).toBeGreaterThan(0);
    hub.interfere = () => false;
    hub.ranges.length = 0;
    await get();
    expect(hub.ranges).toEqual([`bytes=${kept}-`]);
    expectWeights();
    expect(existsSync(`${weightsBlob()}.incomplete`)).toBe(false);
  });

  test('of a server without ranges starts again', async () => {
    mkdirSync(repository('blobs'), { recursive: true });
    writeFileSync(`${weightsBlob()}.incomplete`, weights.subarray(0, 1000));
    hub.interfere = (request, response) => isCdn(request) && !!response.writeHead(200).end(weights);
    await get();
    expectWeights();
  });

  test('that is silent counts as cut', async () => {
    let held = 0;
    hub.interfere = (request, response) => {
      if (!isCdn(request) || held++ > 0) return false;
      response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 1000));
      return true;
    };
    await get('org/name', { stallTimeout: 100 });
    expectWeights();
  });

  test('falls back to the cache when the hub is away', async () => {
    const { directory } = await get();
    await hub.stop();
    const warnings: string[] = [];
    const found = await get('org/name', { onWarning: message => warnings.push(message) });
    expect(found.directory).toBe(directory);
    expect(warnings).toEqual([`${hub.address} cannot be reached; the cached org/name at 01234567 is used.`]);
    await expect(get('org/other')).rejects.toThrow(/No connection to .*ECONNREFUSED/);
    await hub.start();
  });
});

describe('wrong bytes', () => {
  const damaged = Buffer.from(weights);
  damaged[1000] ^= 1;

  test.each(['model.safetensors', 'config.json'])('in %s are refused and leave nothing', async name => {
    const bytes = Buffer.from(hub.files[name]);
    bytes[0] ^= 1;
    hub.interfere = (request, response) => request.url?.endsWith(name) === true && !!response.end(bytes);
    await expect(get()).rejects.toThrow(new RegExp(`${name} of org/name arrived damaged`));
    expect(tree(repository()).filter(path => path.includes('incomplete') || path.endsWith(name))).toEqual([]);
    expect(existsSync(repository('refs'))).toBe(false);
    hub.interfere = () => false;
    await get();
    expect(readFileSync(repository('snapshots', COMMIT, name)).equals(hub.files[name])).toBe(true);
  });

  test('from an earlier run are fetched anew', async () => {
    mkdirSync(repository('blobs'), { recursive: true });
    writeFileSync(`${weightsBlob()}.incomplete`, damaged.subarray(0, 50_000));
    await get();
    expectWeights();
    expect(hub.ranges.filter(range => range === 'bytes=50000-')).toHaveLength(1);
  });

  test('past the announced end are not read', async () => {
    hub.interfere = (request, response) => isCdn(request) && !!response.end(Buffer.concat([weights, weights]));
    await get();
    expectWeights();
  });
});

describe('a busy hub', () => {
  const refuse =
    (times: number, status: number, headers: Record<string, string> = {}): Interference =>
    (request, response) => {
      if (!request.url?.endsWith('config.json') || times-- <= 0) return false;
      response.writeHead(status, headers).end();
      return true;
    };

  test.each([429, 503])('(%i) is asked again', async status => {
    hub.interfere = refuse(2, status);
    await get();
    expect(hub.log.filter(line => line.endsWith('/config.json'))).toHaveLength(3);
  });

  test('is given the time it asks for', async () => {
    hub.interfere = refuse(1, 429, { 'retry-after': '1' });
    const start = performance.now();
    await get();
    expect(performance.now() - start).toBeGreaterThan(990);
  });

  test('that asks for too much, or stays busy, is reported', async () => {
    hub.interfere = refuse(1, 429, { 'retry-after': '3600' });
    await expect(get()).rejects.toThrow('is busy (429)');
    hub.interfere = refuse(99, 503);
    await expect(get()).rejects.toThrow('is busy (503): try again later');
  });

  test('says how long in seconds, as a date, or in its own words', () => {
    expect(retryAfter(new Headers({ 'retry-after': '7' }))).toBe(7000);
    expect(retryAfter(new Headers({ 'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT' }), 4000)).toBe(5000);
    expect(retryAfter(new Headers({ ratelimit: '"api";r=0;t=55' }))).toBe(55_000);
    expect(retryAfter(new Headers())).toBeUndefined();
  });
});

describe('refusals', () => {
  const answer =
    (status: number, code?: string): Interference =>
    (_, response) =>
      !!response.writeHead(status, code ? { 'x-error-code': code } : {}).end();

  test.each<[number, string | undefined, string, string]>([
    [401, undefined, '', 'org/name does not exist at .* or is private \\(401\\): .*set HF_TOKEN'],
    [401, 'RepoNotFound', 'bad', 'token in HF_TOKEN, which was refused'],
    [401, 'GatedRepo', '', 'org/name is gated .*accept its conditions at .*/org/name and set HF_TOKEN'],
    [403, undefined, 'good', 'use the token of an account that has access'],
    [404, 'RepoNotFound', '', 'neither a directory here nor a repository at .*check the name'],
    [404, 'RevisionNotFound', '', 'org/name has no revision "main"'],
    [418, undefined, '', 'answered 418'],
  ])('%i %s', async (status, code, token, message) => {
    hub.interfere = answer(status, code);
    await expect(get('org/name', { env: env({ HF_TOKEN: token }) })).rejects.toThrow(new RegExp(message));
    expect(hub.log).toHaveLength(1);
    expect(tree(cache)).toEqual([]);
  });

  test('of a server that is no hub', async () => {
    hub.interfere = (_, response) => !!response.end('<html>');
    await expect(get()).rejects.toThrow('does not answer as the hub does');
  });

  test('of pickled weights say how to convert', async () => {
    const { 'model.safetensors': _, ...rest } = hub.files;
    hub.files = rest;
    await expect(get()).rejects.toThrow(
      /only as pytorch_model.bin, .*AutoConfig.from_pretrained\("org\/name"\).*architectures\[0\].*safe_serialization=True/,
    );
    hub.files = { 'README.md': Buffer.from('') };
    await expect(get()).rejects.toThrow('has no config.json');
    hub.files = { 'config.json': Buffer.from('{}') };
    await expect(get()).rejects.toThrow('has no weights');
    expect(tree(cache)).toEqual([]);
  });

  test('of names that are none', async () => {
    for (const ref of ['a/b/c', 'org/na me', 'org/..', '-x/y', 'org/name@../x']) await expect(get(ref)).rejects.toThrow(NarrowsError);
    await expect(get('./nowhere')).rejects.toThrow('There is no directory ./nowhere');
    await expect(get(' ')).rejects.toThrow('has no name');
    expect(hub.log).toEqual([]);
  });

  test('of a directory that cannot be written', async () => {
    writeFileSync(join(cache, 'file'), '');
    await expect(get('org/name', { cacheDirectory: join(cache, 'file') })).rejects.toThrow(/Cannot write .*a part of the path is a file/);
  });
});

describe('offline', () => {
  const offline = { HF_HUB_OFFLINE: '1' };

  test('uses the cache and no network', async () => {
    const found = await get();
    hub.log.length = 0;
    for (const ref of ['org/name', 'org/name@main', `org/name@${COMMIT}`]) expect(await get(ref, { env: env(offline) })).toEqual(found);
    expect(hub.log).toEqual([]);
  });

  test('says what is missing', async () => {
    await expect(get('org/name', { env: env(offline) })).rejects.toThrow('org/name@main is not in the cache');
    const { directory } = await get();
    rmSync(join(directory, 'model.safetensors'));
    await expect(get('org/name', { env: env(offline) })).rejects.toThrow(
      /cached org\/name@main lacks model.safetensors .*unset HF_HUB_OFFLINE/,
    );
  });
});

test('an abort ends a download at once and keeps its part', async () => {
  const controller = new AbortController();
  hub.interfere = (request, response) => {
    if (!isCdn(request)) return false;
    response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 1000));
    return true;
  };
  const onProgress = ({ file, loaded }: DownloadProgress): void => {
    if (file === 'model.safetensors' && loaded === 1000) controller.abort(new Error('stop'));
  };
  await expect(get('org/name', { signal: controller.signal, onProgress })).rejects.toThrow('stop');
  expect(lstatSync(`${weightsBlob()}.incomplete`).size).toBe(1000);
  expect(tree(join(cache, '.locks'))).toEqual([]);
});

test('two at once download each file once', async () => {
  const [one, two] = await Promise.all([get(), get()]);
  expect(one).toEqual(two);
  expect(hub.log.filter(line => line === 'GET /cdn/model.safetensors')).toHaveLength(1);
});

test('the lock of a dead process is broken', async () => {
  const lock = join(cache, '.locks', 'models--org--name', `${sha256(weights)}.narrows.lock`);
  mkdirSync(join(lock, '..'), { recursive: true });
  writeFileSync(lock, 'another-host 1\n');
  const old = new Date(Date.now() - 120_000);
  utimesSync(lock, old, old);
  await get();
  expect(existsSync(lock)).toBe(false);
});

test('directories are used as they are', async () => {
  mkdirSync(join(cache, 'mine'));
  expect(await get(join(cache, 'mine'))).toEqual({ directory: join(cache, 'mine'), name: 'mine' });
  writeFileSync(join(cache, 'mine', 'pytorch_model.bin'), '');
  await expect(openCheckpoint(join(cache, 'mine'))).rejects.toThrow('convert them once');
  await expect(get(join(cache, 'mine', 'pytorch_model.bin'))).rejects.toThrow('is a file: give the directory');
});

test('the cache can be listed', async () => {
  expect(await listCached({ cacheDirectory: join(cache, 'none') })).toEqual([]);
  await get();
  const bytes = 22 + 2 + 13 + weights.length;
  const entry = { name: 'org/name', revision: COMMIT, references: ['main'], bytes, path: repository('snapshots', COMMIT) };
  expect(await listCached({ env: env() })).toEqual([entry]);
  rmSync(repository('refs'), { recursive: true });
  expect(await listCached({ env: env() })).toEqual([{ ...entry, references: [] }]);
});

test("the environment variables are Python's", () => {
  expect(cacheDirectory({ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b' })).toBe('/a');
  expect(cacheDirectory({ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' })).toBe('/b');
  expect(cacheDirectory({ HF_HOME: '/c', XDG_CACHE_HOME: '/d' })).toBe('/c/hub');
  expect(cacheDirectory({ XDG_CACHE_HOME: '/d' })).toBe('/d/huggingface/hub');
  expect(cacheDirectory({})).toMatch(/\/\.cache\/huggingface\/hub$/);
  expect(hubEndpoint({ HF_ENDPOINT: 'https://mirror/' })).toBe('https://mirror');
  expect(['1', 'on', 'TRUE', '0', ''].map(HF_HUB_OFFLINE => isOffline({ HF_HUB_OFFLINE }))).toEqual([true, true, true, false, false]);
  writeFileSync(join(cache, 'token'), 'stored\n');
  expect(accessToken({ HF_HOME: cache })).toBe('stored');
  expect(accessToken({ HF_HOME: cache, HF_TOKEN: 'given' })).toBe('given');
  expect(accessToken({ HF_HOME: join(cache, 'none') })).toBeUndefined();
});
