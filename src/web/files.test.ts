/** @file Models from addresses and the hub in Chromium: ranges, redirects, resume, hashes, stores, and one sentence for every refusal. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyPairModel } from '../attribution/testing/tiny-pairs.ts';
import { chosenFiles } from './files/blob-files.ts';
import { SEGMENT } from './files/download.ts';
import { serve } from './testing/serve.ts';
import { ask, browserHere, type Session, startSession } from './testing/session.ts';

const SLOW = 600_000;
const COMMIT = 'a'.repeat(40);
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization, range',
  'access-control-expose-headers': '*',
};

interface Loaded {
  readonly sha256: string;
  readonly warnings: readonly string[];
  readonly progress: { readonly loadedAll: number; readonly totalAll: number };
  readonly steps: number;
}

/** The weights with a large tensor that no model asks for, so that a download takes several requests. */
async function heavier(directory: string): Promise<void> {
  const file = join(directory, 'model.safetensors');
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const end = bytes.length - 8 - length;
  header.padding = { dtype: 'F32', shape: [(2 * SEGMENT) / 4], data_offsets: [end, end + 2 * SEGMENT] };
  const text = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([start, text, bytes.subarray(8 + length), Buffer.alloc(2 * SEGMENT, 1)]));
}

describe.skipIf(!browserHere)('models in Chromium', () => {
  let session: Session;
  let page: Page;
  let folder: string;
  let hub: Awaited<ReturnType<typeof serve>>;
  let delivery: Awaited<ReturnType<typeof serve>>;
  /** What the hub's tree says, by file; the hub's answer to everything, where a test wants one. */
  let tree: { path: string; size: number; type: string; oid: string; lfs?: { oid: string; size: number } }[];
  let refuse: { status: number } | undefined;
  /** How often the delivery cuts the line in the midst of the weights. */
  let cuts = 0;
  let plain: readonly string[];
  /** Without it the hub refuses, where one is set. */
  let token: string | undefined;
  let weightBytes = 0;

  beforeAll(async () => {
    const tiny = await tinyPairModel();
    await tiny.release();
    folder = tiny.files.name;
    for (const name of await readdir(folder)) if (/attributions|golden|m2ib|outputs/.test(name)) await rm(join(folder, name));
    await heavier(folder);
    plain = await readdir(folder);
    weightBytes = (await stat(join(folder, 'model.safetensors'))).size;
    tree = await Promise.all(
      plain.map(async path => {
        const bytes = await readFile(join(folder, path));
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const lfs = path.endsWith('.safetensors') ? { lfs: { oid: sha256, size: bytes.length } } : {};
        return { path, type: 'file', size: bytes.length, oid: createHash('sha1').update(path).digest('hex'), ...lfs };
      }),
    );
    delivery = await serve([['/', folder]], {
      headers: CORS,
      answer(request, response) {
        if (request.method === 'OPTIONS') response.writeHead(204).end();
        else if (request.headers.authorization) response.writeHead(400).end();
        else if (cuts > 0 && request.url === '/model.safetensors') {
          cuts -= 1;
          const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
          const [from, to] = [Number(range[1]), Number(range[2])];
          response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${weightBytes}`, 'content-length': to - from + 1 });
          response.write(Buffer.alloc(100_000), () => response.destroy());
        } else return false;
        return true;
      },
    });
    hub = await serve([], {
      headers: CORS,
      answer(request, response) {
        const path = decodeURIComponent(request.url ?? '');
        if (request.method === 'OPTIONS') response.writeHead(204).end();
        else if (refuse) response.writeHead(refuse.status).end();
        else if (token && request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end();
        else if (path === '/api/models/org/tiny/revision/main') response.end(JSON.stringify({ sha: COMMIT }));
        else if (path === `/api/models/org/tiny/tree/${COMMIT}`) response.end(JSON.stringify(tree));
        else if (path.startsWith(`/org/tiny/resolve/${COMMIT}/`))
          response.writeHead(302, { location: `${delivery.url}/${path.split('/').at(-1)}` }).end();
        else response.writeHead(404).end();
        return true;
      },
    });
    session = await startSession({ mounts: [['/tiny/', folder]] });
  }, SLOW);
  afterAll(async () => {
    await session?.close();
    await hub?.close();
    await delivery?.close();
    if (folder) await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    refuse = undefined;
    token = undefined;
    ({ page } = await session.open());
  }, SLOW);

  const load = (place: string, options: object = {}, where: 'page' | 'worker' = 'worker') =>
    ask<Loaded>(page, where, 'load', { place, options });
  const fromHub = () => load('org/tiny', { endpoint: hub.url });
  const weightRanges = () => delivery.requests.filter(({ path }) => path === '/model.safetensors').map(({ range }) => range);

  it(
    'come from the hub through a redirect, go on after a stop, and are not fetched twice',
    async () => {
      const all = tree.reduce((sum, { size }) => sum + size, 0);
      await expect(
        ask(page, 'worker', 'stopLoading', { place: 'org/tiny', options: { endpoint: hub.url }, bytes: SEGMENT + 1_000_000 }),
      ).rejects.toThrow('stopped by the test');
      const before = weightRanges();
      expect(before[0]).toBe(`bytes=0-${SEGMENT - 1}`);
      const loaded = await fromHub();
      expect(loaded.progress).toMatchObject({ loadedAll: all, totalAll: all });
      expect(loaded.sha256).toMatch(/^[0-9a-f]{64}$/);
      // The first segment was kept.
      const after = weightRanges().slice(before.length);
      // What came of the second is in the browser's own cache, which asks for that part by itself.
      expect(after.every(range => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1]) >= SEGMENT)).toBe(true);
      const asked = delivery.requests.length;
      expect((await fromHub()).sha256).toBe(loaded.sha256);
      expect(delivery.requests.length).toBe(asked);
    },
    SLOW,
  );

  it(
    'go on by themselves where the line is cut, and say so in a sentence where it stays cut',
    async () => {
      cuts = 2;
      const loaded = await load('org/tiny', { endpoint: hub.url, retryDelay: 1 });
      expect(cuts).toBe(0);
      expect(loaded.sha256).toMatch(/^[0-9a-f]{64}$/);
      ({ page } = await session.open());
      cuts = 10;
      await expect(load('org/tiny', { endpoint: hub.url, retries: 1, retryDelay: 1 })).rejects.toThrow(
        /model\.safetensors cannot be read \(.+\): the network is down, or 127\.0\.0\.1:\d+ does not let pages of .+ read it/,
      );
      cuts = 0;
      expect((await fromHub()).sha256).toBe(loaded.sha256);
    },
    SLOW,
  );

  it(
    'take an access token, which goes to the hub and not to where it redirects',
    async () => {
      token = 'hf_test';
      // The delivery refuses whoever sends one.
      expect((await load('org/tiny', { endpoint: hub.url, token })).sha256).toMatch(/^[0-9a-f]{64}$/);
    },
    SLOW,
  );

  it(
    'come from an address, with or without a list of files and ranges, and are known again by their ETag',
    async () => {
      const listed = await load('/tiny/', { files: plain });
      const found = await load('/tiny/');
      expect(found.sha256).toBe(listed.sha256);
      expect(found.warnings.filter(said => !/padding/.test(said))).toEqual(listed.warnings.filter(said => !/padding/.test(said)));
      const old = await serve([['/', folder]], { headers: CORS, ranges: false, etag: false });
      try {
        const streamed = await load(`${old.url}/`, { files: plain });
        expect(streamed.sha256).toBe(listed.sha256);
      } finally {
        await old.close();
      }
      const whole = await serve([['/', folder]], { headers: CORS, ranges: false });
      try {
        const said = (await load(`${whole.url}/`, { files: plain })).warnings;
        expect(said).toContain(
          `${whole.url.slice('http://'.length)} serves no ranges, so that a download of model.safetensors that stops begins anew.`,
        );
      } finally {
        await whole.close();
      }
    },
    SLOW,
  );

  it(
    'are refused in one sentence',
    async () => {
      const said = (place: string, options: object = {}) =>
        load(place, { retries: 0, ...options }).then(
          () => 'loaded',
          error => String(error.message),
        );
      refuse = { status: 401 };
      expect(await said('org/tiny', { endpoint: hub.url })).toMatch(
        /refuses .*\/api\/models\/org\/tiny\/revision\/main \(401\): it is private or gated, or does not exist; give an access token, or check the address\./,
      );
      refuse = { status: 403 };
      expect(await said('org/tiny', { endpoint: hub.url, token: 'hf_other' })).toMatch(
        /refuses .* \(403\): the token has no access to it; accept its conditions there, or use another token\./,
      );
      refuse = { status: 503 };
      expect(await said('org/tiny', { endpoint: hub.url })).toMatch(/is busy \(503\): try again later; what was downloaded is kept\./);
      refuse = undefined;
      expect(await said('org/other', { endpoint: hub.url })).toMatch(/There is no .*org\/other.* \(404\); check the address\./);
      const closed = await serve([['/', folder]]);
      try {
        expect(await said(`${closed.url}/`)).toMatch(
          /does not let pages of http.* read it \(no Access-Control-Allow-Origin header, on a redirect too\); host the files next to the page, or choose them as files/,
        );
      } finally {
        await closed.close();
      }
      expect(await said('/nowhere/')).toMatch(
        /\/nowhere\/ has no config\.json, so it is not a model in Hugging Face format; check the address\./,
      );
      expect(await said('/tiny/', { files: plain, sha256: { 'config.json': 'f'.repeat(64) } })).toMatch(
        /config\.json is not the file that was promised: its SHA-256 is [0-9a-f]{64}, not f+/,
      );
      const right = tree;
      tree = right.map(entry => (entry.lfs ? { ...entry, lfs: { ...entry.lfs, oid: 'e'.repeat(64) } } : entry));
      expect(await said('org/tiny', { endpoint: hub.url })).toMatch(
        /model\.safetensors is not the file that was promised: its SHA-256 is [0-9a-f]{64}, not e+; try again, and check the address\./,
      );
      tree = right;
      // The hub lets pages read it, and what it redirects to does not.
      const shut = await serve([['/', folder]]);
      const half = await serve([], {
        headers: CORS,
        answer: ({ url = '', method }, response) => {
          if (method === 'OPTIONS') response.writeHead(204).end();
          else response.writeHead(302, { location: `${shut.url}${url}` }).end();
          return true;
        },
      });
      try {
        expect(await said(`${half.url}/`, { files: plain })).toMatch(/does not let pages of .* read it \(.* on a redirect too\)/);
      } finally {
        await half.close();
        await shut.close();
      }
      expect(await said('no model')).toMatch(/config\.json|neither an address/);
    },
    SLOW,
  );

  it(
    'stay in memory where a window keeps nothing, and say so; a full disk is one sentence',
    async () => {
      await page.evaluate(() => {
        const refuse = () => Promise.reject(new DOMException('not here', 'SecurityError'));
        Object.defineProperty(navigator.storage, 'getDirectory', { value: refuse });
        Object.defineProperty(window, 'caches', { value: { open: refuse } });
      });
      const loaded = await load('/tiny/', { files: plain }, 'page');
      expect(loaded.warnings[0]).toMatch(
        /^This browser window keeps no files \(a private window, or a page without https: not here\); the model stays in memory/,
      );
      ({ page } = await session.open());
      await page.evaluate(() => {
        FileSystemWritableFileStream.prototype.write = () => Promise.reject(new DOMException('too much', 'QuotaExceededError'));
      });
      await expect(load('/tiny/', { files: plain }, 'page')).rejects.toThrow(
        /The browser keeps no more data for this page .*free disk space, clear the data of this site, or load the model without a store \(store: 'memory'\)/,
      );
      expect((await load('/tiny/', { files: plain, store: 'memory' }, 'page')).sha256).toBe(loaded.sha256);
    },
    SLOW,
  );
});

describe('chosen files', () => {
  const file = (path: string, text = 'x'): File => {
    const made = new File([text], path.split('/').at(-1)!);
    Object.defineProperty(made, 'webkitRelativePath', { value: path.includes('/') ? path : '' });
    return made;
  };

  it('are those of the one folder that has a config.json', async () => {
    const files = chosenFiles([file('clip/config.json', '{}'), file('clip/model.safetensors', '0123456789'), file('clip/onnx/model.onnx')]);
    expect([files.name, await files.list()]).toEqual(['clip', ['config.json', 'model.safetensors']]);
    expect(new TextDecoder().decode(await files.read('model.safetensors', 3, 4))).toBe('3456');
    await expect(files.read('model.safetensors', 8, 4)).rejects.toThrow(/it has 10 bytes, and 4 from 8 on are wanted/);
    await expect(files.read('none')).rejects.toThrow('clip has no none');
  });

  it('that are none or of several models are refused', () => {
    expect(() => chosenFiles([])).toThrow('No files were chosen');
    expect(() => chosenFiles([file('a/config.json'), file('b/config.json')])).toThrow(/several models \(a\/, b\/\); choose one folder/);
  });
});
