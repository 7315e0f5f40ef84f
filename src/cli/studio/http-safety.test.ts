/** The server is attacked as a page of a stranger, a program of the network and a broken client would; each way is closed by itself. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../../test/support.ts';
import { PROTOCOL_VERSION } from '../../studio/protocol.ts';
import { PROTOCOL_HEADER, TOKEN_HEADER } from '../../studio/wire.ts';
import { type TestStudio, testStudio } from './testing/studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'narrows-page-'));
const page = join(folder, 'page');
let studio: TestStudio;

beforeAll(async () => {
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Studio</title>');
  writeFileSync(join(page, 'assets', 'app-1.js'), 'export {};');
  writeFileSync(join(page, 'notes.secret'), 'a kind of file that no page has');
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  symlinkSync(join(folder, 'secret.txt'), join(page, 'link.txt'));
  symlinkSync(folder, join(page, 'out'));
  studio = await testStudio({}, { page, patience: { head: 1_000, whole: 1_500 } });
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Without what a page of this start brings. */
  readonly bare?: boolean;
}
interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request with the very headers given: fetch would not send all of them. */
function ask(path: string, { method = 'GET', headers = {}, body, bare }: Asked = {}): Promise<Answered> {
  const own = bare ? {} : { [TOKEN_HEADER]: studio.server.token, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) };
  return new Promise((done, fail) => {
    const sent = request(
      { host: '127.0.0.1', port: studio.server.port, path, method, headers: { ...own, ...headers }, agent: false },
      response => {
        const parts: Buffer[] = [];
        response.on('data', part => parts.push(part));
        response.on('end', () => done({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts).toString() }));
        response.on('error', fail);
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}
const json = (value: unknown): Asked => ({
  method: 'POST',
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});
const dial = (): Promise<Socket> =>
  new Promise((done, fail) => {
    const socket = connect(studio.server.port, '127.0.0.1', () => done(socket));
    socket.on('error', fail);
  });
/** All that comes back until the other side closes. */
const rest = (socket: Socket): Promise<string> =>
  new Promise(done => {
    let text = '';
    socket.removeAllListeners('error');
    socket.on('error', () => done(text));
    socket.on('data', part => {
      text += part.toString('latin1');
    });
    socket.on('close', () => done(text));
  });

describe('who may ask', () => {
  it('a page of this start, and nobody without its token', async () => {
    expect((await ask('/api/info')).status).toBe(200);
    expect((await ask('/', { bare: true })).body).toContain('<title>Studio</title>');
    expect((await ask('/api/info', { bare: true })).status).toBe(401);
    expect((await ask('/api/info', { headers: { [TOKEN_HEADER]: studio.server.token.slice(1) } })).status).toBe(401);
    expect((await ask('/api/info', { headers: { [TOKEN_HEADER]: '' } })).status).toBe(401);
    // A token in the address, where links and logs would carry it, is none.
    expect((await ask(`/api/info?token=${studio.server.token}`, { bare: true })).status).toBe(401);
    expect((await ask('/api/info', { headers: { [PROTOCOL_HEADER]: '999' } })).body).toContain('load the page again');
    expect(studio.server.token.length).toBeGreaterThan(40);
    expect(new URL(studio.server.url).hash).toBe(`#token=${studio.server.token}`);
  });

  it('no name but the address that was printed: DNS rebinding', async () => {
    const { port } = studio.server;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `[::1]:${port}`,
      `0.0.0.0:${port}`,
    ])
      for (const path of ['/', '/api/info']) expect((await ask(path, { headers: { host } })).status, `${host}${path}`).toBe(421);
    expect((await ask('/api/info', { headers: { host: `localhost:${port}` } })).status).toBe(200);
    const absolute = await dial();
    absolute.write(`GET http://evil.example/api/info HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`);
    expect(await rest(absolute)).toMatch(/^HTTP\/1.1 404/);
    const twice = await dial();
    twice.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nhost: evil.example\r\nconnection: close\r\n\r\n`);
    expect(await rest(twice)).toMatch(/^HTTP\/1.1 421/);
  });

  it('no page of another origin: fetch, form, picture element, frame', async () => {
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `https://127.0.0.1:${studio.server.port}` },
      { origin: `http://localhost:${studio.server.port}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      // What Chromium sends for <img src="http://127.0.0.1:…/api/pictures/…/file">: it has no Origin.
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      // A form that is sent.
      { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign)
      for (const [path, method] of [
        ['/', 'GET'],
        ['/api/info', 'GET'],
        ['/api/verdict', 'POST'],
      ] as const)
        expect((await ask(path, { method, headers })).status, JSON.stringify(headers)).toBe(403);
    for (const site of ['same-origin', 'none'])
      expect((await ask('/', { bare: true, headers: { 'sec-fetch-site': site } })).status).toBe(200);
    // Even with the token, nothing that a form can send is read.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])
      expect(
        (await ask('/api/cancel', { method: 'POST', body: '{"job":"x"}', headers: type ? { 'content-type': type } : {} })).status,
      ).toBe(415);
  });

  it('no other site learns anything: no CORS header, no frame, strict policy, on every reply', async () => {
    const replies = [
      await ask('/', { bare: true }),
      await ask('/assets/app-1.js', { bare: true }),
      await ask('/api/info'),
      await ask('/api/info', { bare: true }),
      await ask('/nothing'),
      await ask('/', { headers: { host: 'evil.example' } }),
      await ask('/api/info', { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } }),
    ];
    for (const { headers } of replies) {
      expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([]);
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors 'none'$/,
      );
      expect(headers['content-security-policy']).not.toMatch(/unsafe-inline|unsafe-eval'(?<!'wasm-unsafe-eval')|\*/);
      expect(headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
    }
    expect(replies.at(-1)!.status).toBe(403);
  });

  it('no WebSocket and no tunnel', async () => {
    for (const start of [
      'GET /api/attribute HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-version: 13',
      'CONNECT evil.example:443 HTTP/1.1',
    ]) {
      const socket = await dial();
      socket.write(`${start}\r\nhost: 127.0.0.1:${studio.server.port}\r\norigin: https://evil.example\r\n\r\n`);
      expect(await rest(socket)).toMatch(/^HTTP\/1.1 403 Forbidden/);
    }
  });

  it('nobody from the network: it listens at 127.0.0.1 only', async () => {
    const others = Object.values(networkInterfaces()).flatMap(list => (list ?? []).filter(i => !i.internal && i.family === 'IPv4'));
    for (const { address } of others) {
      const reached = await new Promise(done => {
        const socket = connect({ port: studio.server.port, host: address, timeout: 2_000 }, () => done(true));
        for (const event of ['error', 'timeout']) socket.on(event, () => done(false));
      });
      expect(reached, address).toBe(false);
    }
  });
});

describe('files', () => {
  it('are those of the page and no others: no way up, no links out, no strange kinds', async () => {
    expect((await ask('/assets/app-1.js', { bare: true })).headers['content-type']).toBe('text/javascript; charset=utf-8');
    const paths = [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/..\\secret.txt',
      '//etc/passwd',
      '/etc/passwd',
      '/link.txt',
      '/out/secret.txt',
      '/notes.secret',
      '/index.html%00.js',
      '/assets',
      '/assets/',
      '/.git/config',
      '/api/pictures/../../secret.txt',
      `/api/pictures/${'0'.repeat(63)}g`,
    ];
    for (const path of paths) {
      const { status, body } = await ask(path);
      expect(status, path).toBe(404);
      expect(body).not.toContain('outside');
    }
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
    expect((await ask('/api/info', { method: 'DELETE' })).status).toBe(405);
    expect((await ask('/', { method: 'HEAD', bare: true })).body).toBe('');
  });

  it('a page that is not built says how to build it', async () => {
    await using other = await testStudio({}, { page: join(folder, 'nowhere') });
    expect(other.server.built).toBe(false);
    const response = await fetch(other.server.origin);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('npm run build');
  });
});

describe('what is sent', () => {
  it('a body of a gigabyte is refused by its head, and where the head lies, at the limit', async () => {
    const gigabyte = 2 ** 30;
    for (const [path, type, chunked] of [
      ['/api/pictures?name=x', 'application/octet-stream', false],
      ['/api/pictures?name=x', 'application/octet-stream', true],
      ['/api/attribute', 'application/json', true],
    ] as const) {
      const socket = await dial();
      const answer = rest(socket);
      const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${gigabyte}`;
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${studio.server.port}\r\n${TOKEN_HEADER}: ${studio.server.token}\r\n${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\ncontent-type: ${type}\r\n${length}\r\n\r\n`,
      );
      const closed = new Promise(done => socket.once('close', done));
      const piece = Buffer.alloc(2 ** 20, 0x20);
      let sent = 0;
      socket.on('close', () => {
        sent = Number.POSITIVE_INFINITY;
      });
      while (sent < 64 * 2 ** 20) {
        sent += piece.length;
        if (chunked) socket.write(`${piece.length.toString(16)}\r\n`);
        const full = !socket.write(piece);
        if (chunked) socket.write('\r\n');
        if (full) await Promise.race([new Promise(done => socket.once('drain', done)), closed]);
      }
      socket.destroy();
      // The reply may be lost with the connection; that nothing was taken is what counts.
      expect(await answer).toMatch(/^(HTTP\/1.1 (413|408)|$)/);
      expect(sent).toBe(Number.POSITIVE_INFINITY);
    }
    expect((await ask('/api/info')).status).toBe(200);
  });

  it('a body that comes slowly, or never, is given up in time', async () => {
    const began = performance.now();
    const slow = await dial();
    slow.write(
      `POST /api/rows HTTP/1.1\r\nhost: 127.0.0.1:${studio.server.port}\r\n${TOKEN_HEADER}: ${studio.server.token}\r\n${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    const silent = await dial();
    const half = await dial();
    half.write('GET / HTTP/1.1\r\nhost:');
    await Promise.all([slow, silent, half].map(rest));
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('a hundred connections that say nothing leave the page served', async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, dial));
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('/api/info')));
    expect(answers.map(a => a.status)).toEqual(Array(10).fill(200));
    for (const socket of sockets) socket.destroy();
  });

  it('a decompression bomb is refused by its header, packed bodies unread', async () => {
    const post = (body: Uint8Array, headers = {}) =>
      ask('/api/pictures?name=bomb.png', { method: 'POST', body, headers: { 'content-type': 'application/octet-stream', ...headers } });
    const before = process.memoryUsage().rss;
    const { status, body } = await post(bomb(30_000, 30_000));
    expect(status).toBe(422);
    expect(body).toMatch(/30000 x 30000, 900 million pixels; the limit is 50000000/);
    expect((await post(bomb(8_000, 7_000))).body).toMatch(/56 million pixels/);
    // The same promise in other formats.
    const gif = Buffer.from('GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;', 'latin1');
    const pnm = Buffer.concat([Buffer.from('P6 60000 60000 255\n'), Buffer.alloc(4096)]);
    for (const other of [gif, pnm])
      expect(await post(other)).toMatchObject({ status: 422, body: expect.stringMatching(/"reason":"input"/) });
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
    expect((await post(deflateSync(Buffer.alloc(1000)), { 'content-encoding': 'deflate' })).status).toBe(415);
    expect((await post(new Uint8Array(readFileSync(`${repository}examples/scene.png`)))).status).toBe(200);
  });

  it('text made of markup comes back as JSON and as nothing else', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    const named = await ask(`/api/pictures?name=${encodeURIComponent(evil)}`, {
      method: 'POST',
      body: new Uint8Array(readFileSync(`${repository}examples/scene.png`)),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(JSON.parse(named.body).name).toBe(evil);
    expect(named.headers['content-type']).toBe('application/json');
    const model = await ask('/api/estimate', json({ model: evil, picture: '0'.repeat(64), text: evil, methods: [{ name: evil }] }));
    expect([model.status, model.headers['content-type']]).toEqual([404, 'application/json']);
    const shown = await ask(`/api/pictures/${JSON.parse(named.body).id}/file`);
    expect(shown.headers).toMatchObject({ 'content-type': 'image/png', 'content-disposition': 'attachment' });
  });

  it('what is no request of the protocol is refused in a sentence', async () => {
    for (const [path, body] of [
      ['attribute', { model: 1 }],
      ['attribute', []],
      ['rows', { source: 'x', count: 1e9 }],
      ['verdict', { source: 'x', row: 'y', verdict: 'perhaps' }],
      ['export', { result: 'x', format: 'exe' }],
      ['open', { reference: '' }],
      ['cancel', {}],
      ['row', { source: {}, row: 1 }],
      ['estimate', { model: 'm', picture: '../../etc/passwd', text: 'x', methods: [{ name: 'm2ib' }] }],
    ] as const) {
      const { status, body: said } = await ask(`/api/${path}`, json(body));
      const failure = JSON.parse(said.trim().split('\n').at(-1)!);
      // Streams say it in their last event.
      expect(status === 200 ? failure : failure.failure, `${path} ${said}`).toMatchObject({ reason: 'usage', message: /\.$/ });
      expect(said).not.toMatch(/at .*\.ts:\d+/);
    }
    expect((await ask('/api/rows', { ...json({}), body: '{' })).body).toContain('no JSON');
    expect((await ask('/api/constructor', json({}))).status).toBe(404);
    expect((await ask('/api/rows', json({ source: 'unknown' }))).status).toBe(404);
  });
});

/** A PNG of one colour, its pixels never made here: a strip of zeros that unpacks to the whole. */
function bomb(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(Math.min(height, 2_000) * (width + 1)), { level: 9 });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
