/** A page of a stranger in a real Chromium, open beside the studio: every way that a browser has is tried, and nothing reaches the backend. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../system/log.ts';
import { chromiumPath, INSTALL, launch } from '../../web/testing/chromium.ts';
import { type StudioServer, startStudioServer } from './http-server.ts';
import type { ServedBackend } from './routes.ts';

if (!chromiumPath) console.warn(INSTALL);

/** Calls that reached the backend. */
const reached: string[] = [];
const backend = new Proxy({} as ServedBackend, {
  get: (_, name) => async () => {
    reached.push(String(name));
    return {};
  },
});
const folder = mkdtempSync(join(tmpdir(), 'narrows-foreign-'));
let browser: Browser;
let studio: StudioServer;
let foreign: Server;

beforeAll(async () => {
  if (!chromiumPath) return;
  const page = join(folder, 'page');
  mkdirSync(page);
  writeFileSync(
    join(page, 'index.html'),
    '<!doctype html><title>mine</title><script src="ok.js"></script><script>document.title = "inline"</script>',
  );
  writeFileSync(join(page, 'ok.js'), 'document.title = "own";');
  studio = await startStudioServer({ backend, port: 0, page, log: silent });
  foreign = createServer((_, response) => {
    const { origin } = studio;
    const form = `<form id=form method=post enctype=text/plain target=answer action="${origin}/api/cancel"><input name='{"job":"' value='x"}'></form>`;
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<img id=img src="${origin}/api/info"><iframe id=frame src="${origin}/"></iframe><iframe name=answer></iframe>${form}`);
  });
  await new Promise<void>(done => foreign.listen(0, '127.0.0.1', done));
  browser = await launch(['--host-resolver-rules=MAP rebound.example 127.0.0.1']);
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await studio?.[Symbol.asyncDispose]();
  foreign?.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(!chromiumPath)('a page of a stranger', () => {
  it('gets nothing by picture, frame, form, script, fetch or WebSocket, even with the token', async () => {
    const page = await browser.newPage();
    // Playwright's own half a minute is short where other tests hold the cores.
    page.setDefaultTimeout(120_000);
    await page.goto(`http://localhost:${(foreign.address() as AddressInfo).port}/`);
    const tried = await page.evaluate(
      async ([origin, token]) => {
        const attempt = (work: () => Promise<unknown>): Promise<unknown> => work().catch(() => 'refused');
        const element = (name: 'script' | 'img', path: string) => () =>
          new Promise((done, fail) => {
            const made = Object.assign(document.createElement(name), {
              src: `${origin}${path}`,
              onload: () => done('loaded'),
              onerror: fail,
            });
            document.body.append(made);
          });
        const outcome = {
          fetch: await attempt(async () => (await fetch(`${origin}/api/info`)).status),
          token: await attempt(
            async () => (await fetch(`${origin}/api/info`, { headers: { 'x-narrows-token': token, 'x-narrows-protocol': '1' } })).status,
          ),
          blind: await attempt(
            async () => (await fetch(`${origin}/api/cancel`, { mode: 'no-cors', method: 'POST', body: '{"job":"x"}' })).type,
          ),
          script: await attempt(element('script', '/ok.js')),
          img: await attempt(element('img', '/api/info')),
          socket: await attempt(
            () =>
              new Promise((done, fail) => {
                const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/info`);
                socket.onopen = () => done('open');
                socket.onerror = fail;
              }),
          ),
        };
        (document.getElementById('form') as HTMLFormElement).submit();
        await new Promise(done => setTimeout(done, 1_000));
        return { ...outcome, frame: (document.getElementById('frame') as HTMLIFrameElement).contentDocument?.title ?? 'none' };
      },
      [studio.origin, studio.token] as const,
    );
    expect(tried).toEqual({
      fetch: 'refused',
      token: 'refused',
      blind: 'refused',
      script: 'refused',
      img: 'refused',
      socket: 'refused',
      frame: 'none',
    });
    expect(reached).toEqual([]);
    await page.close();
  }, 240_000);

  it('gets nothing under a name that was made to point here', async () => {
    const page = await browser.newPage();
    // Playwright's own half a minute is short where other tests hold the cores.
    page.setDefaultTimeout(120_000);
    const response = await page.goto(`http://rebound.example:${studio.port}/`);
    expect(response?.status()).toBe(421);
    // From here the browser takes the server for the page's own.
    const status = await page.evaluate(
      async token => (await fetch('/api/info', { headers: { 'x-narrows-token': token, 'x-narrows-protocol': '1' } })).status,
      studio.token,
    );
    expect(status).toBe(421);
    expect(reached).toEqual([]);
    await page.close();
  }, 240_000);

  it('is no hindrance to the page itself, whose policy lets no inline script run', async () => {
    const page = await browser.newPage();
    // Playwright's own half a minute is short where other tests hold the cores.
    page.setDefaultTimeout(120_000);
    const said: string[] = [];
    page.on('console', message => said.push(message.text()));
    await page.goto(studio.url);
    expect(await page.title()).toBe('own');
    expect(said.join(' ')).toMatch(/Content Security Policy/);
    const status = await page.evaluate(
      async token => (await fetch('/api/info', { headers: { 'x-narrows-token': token, 'x-narrows-protocol': '1' } })).status,
      studio.token,
    );
    expect([status, reached]).toEqual([200, ['info']]);
    await page.close();
  }, 240_000);
});
