/** @file The studio's server: the page and the protocol on 127.0.0.1, for a page of this start only. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SAFETY_HEADERS } from '../../studio/policy.ts';
import { StudioError } from '../../studio/protocol.ts';
import { STATUS } from '../../studio/wire.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { checkSource, checkToken, Refused } from './http-guard.ts';
import { failureOf } from './job-queue.ts';
import { NOT_BUILT, PageFiles } from './page-files.ts';
import { type Route, routesOf, type ServedBackend, sendJson } from './routes.ts';

/** The only address that the server listens at. */
const ADDRESS = '127.0.0.1';
/** Milliseconds for the head of a request, and for all of it. */
const PATIENCE = { head: 10_000, whole: 60_000 } as const;
/** Milliseconds between a refusal and the end of the connection, where a body is still being sent. */
const GRACE = 300;
/** Connections at a time. */
const CONNECTIONS = 256;

/** How the server is run. */
export interface StudioServerOptions {
  readonly backend: ServedBackend;
  /** 0 takes a free one. */
  readonly port: number;
  /** The folder of the built page. */
  readonly page: string;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** For tests: other limits of time, in milliseconds. */
  readonly patience?: { readonly head: number; readonly whole: number };
}

/** A running server. */
export interface StudioServer extends AsyncDisposable {
  readonly port: number;
  /** The address of the page without the token. */
  readonly origin: string;
  /** The token of this start. */
  readonly token: string;
  /** What a person opens: the token stands in the fragment, which browsers send nowhere. */
  readonly url: string;
  /** Whether the page is built. */
  readonly built: boolean;
}

/** Sends the failure of a request that has not been answered yet. */
function sendFailure(request: IncomingMessage, response: ServerResponse, error: unknown, log: StudioServerOptions['log']): void {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  // What was not read of a body must not be taken for the next request.
  if (!request.complete) {
    response.setHeader('connection', 'close');
    // Node would go on reading it; the reply gets a moment to arrive.
    response.on('finish', () => setTimeout(() => request.destroy(), GRACE).unref());
  }
  if (error instanceof Refused) {
    log.debug(`${request.method} ${request.url?.slice(0, 200)}: ${error.status} ${error.message}`);
    sendJson(response, error.status, { failure: { reason: 'usage', message: error.message } });
    return;
  }
  const { reason, message } = failureOf(error, log);
  sendJson(response, STATUS[reason], { failure: { reason, message } });
}

/** The path of an address as it was sent; nothing is decoded, so that nothing can be hidden. */
function pathOf(request: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const [path, query = ''] = (request.url ?? '/').split('?', 2);
  if (!/^\/[\w./-]*$/.test(path) || path.includes('..') || path.includes('//')) throw new Refused(404, 'There is nothing here.');
  return { path, query: new URLSearchParams(query) };
}

function handler(
  options: StudioServerOptions,
  facts: { port: number; readonly token: string; readonly files: PageFiles },
  routes: readonly Route[],
) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(SAFETY_HEADERS)) response.setHeader(name, value);
    const gone = new AbortController();
    response.on('close', () => gone.abort(new StudioError('cancelled', 'The page has gone.')));
    try {
      checkSource(request, facts.port);
      const { path, query } = pathOf(request);
      if (!path.startsWith('/api/')) {
        if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refused(405, 'The page is only read.');
        if (facts.files.send(path, response, request.method === 'HEAD')) return;
        if (path === '/' && !facts.files.built) throw new Refused(503, NOT_BUILT);
        throw new Refused(404, 'There is nothing here.');
      }
      checkToken(request, facts.token);
      const found = routes.filter(route => route.path.test(path));
      const route = found.find(each => each.method === request.method);
      if (!route)
        throw found.length ? new Refused(405, `${path} takes ${found[0].method}.`) : new Refused(404, `There is no ${path} here.`);
      const id = route.path.exec(path)?.[1] ?? '';
      await route.answer({ request, response, query, id, signal: gone.signal });
    } catch (error) {
      sendFailure(request, response, error, options.log);
    }
  };
}

const LISTEN: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use; choose another --port, or 0 for a free one',
  EACCES: 'permission is denied; choose a --port from 1024 on',
};

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(new NarrowsError(`Cannot serve at ${ADDRESS}:${port}: ${LISTEN[error.code ?? ''] ?? error.message}.`, { cause: error })),
    );
    server.listen(port, ADDRESS, done);
  });
  return (server.address() as { readonly port: number }).port;
}

/** A connection that wants another protocol (WebSocket, a tunnel) is told no and closed. */
function refuseUpgrade(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => {});
  socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
}

/** Starts the server. @throws NarrowsError where it cannot listen */
export async function startStudioServer(options: StudioServerOptions): Promise<StudioServer> {
  const { head, whole } = options.patience ?? PATIENCE;
  const facts = { port: 0, token: randomBytes(32).toString('base64url'), files: await PageFiles.open(options.page) };
  const limits = {
    headersTimeout: head,
    requestTimeout: whole,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: Math.min(1_000, head),
  };
  const server = createServer({ ...limits, maxHeaderSize: 16_384 }, handler(options, facts, routesOf(options.backend)));
  server.maxConnections = CONNECTIONS;
  server.on('upgrade', refuseUpgrade);
  server.on('connect', refuseUpgrade);
  facts.port = await listen(server, options.port);
  const origin = `http://${ADDRESS}:${facts.port}`;
  return {
    port: facts.port,
    origin,
    token: facts.token,
    url: `${origin}/#token=${facts.token}`,
    built: facts.files.built,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  };
}
