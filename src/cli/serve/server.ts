/** @file A small server that speaks as OpenAI's chat interface does, over one model. Requests are answered one after the other. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isLoopback } from '../../generation/endpoint/address.ts';
import { Turns } from '../../generation/endpoint/turns.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { ApiError, apiError, errorBody } from './api-error.ts';
import { chatRequest } from './chat-request.ts';
import { type Answering, complete } from './complete.ts';
import { checkHost, checkToken, readJsonBody } from './guard.ts';
import { respondStream, respondWhole, writeJson } from './respond.ts';

/** How a server is run. */
export interface ServeOptions extends Answering {
  /** Name of the model in requests and replies; by default its own. */
  readonly modelName?: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bytes of a request at most. */
  readonly maxBody: number;
  /** Requests that may wait; more are sent away with 503. */
  readonly maxQueue: number;
  /** Bearer token that is asked for. */
  readonly token?: string;
  /** Origin of pages that may ask; none by default. */
  readonly cors?: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  /** Base address, such as `http://127.0.0.1:8000/v1`. */
  readonly url: string;
}

interface Route {
  readonly method: 'GET' | 'POST';
  answer(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
}

function routesOf(options: ServeOptions, name: string, created: number): Readonly<Record<string, Route>> {
  const turns = new Turns(1);
  let waiting = 0;
  const model = { id: name, object: 'model', created, owned_by: 'narrows' };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = chatRequest(await readJsonBody(request, options.maxBody));
    if (asked.model !== undefined && asked.model !== name)
      throw new ApiError(
        404,
        `There is no model ${JSON.stringify(asked.model)} here, only ${JSON.stringify(name)}.`,
        'model_not_found',
        'model',
      );
    if (waiting >= options.maxQueue) throw new ApiError(503, `${waiting} requests are waiting already; come again later.`);
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the client has gone')));
    const signal = AbortSignal.any([options.signal, gone.signal]);
    waiting++;
    await turns
      .take(async () => {
        signal.throwIfAborted();
        const began = performance.now();
        const pieces = complete(options, asked, signal);
        const done = await (asked.stream ? respondStream(response, name, pieces, asked) : respondWhole(response, name, pieces));
        const { promptTokens, completionTokens, finish } = done;
        const seconds = ((performance.now() - began) / 1000).toFixed(2);
        options.log.debug(`${completionTokens} tokens (${finish}) in ${seconds} s, ${promptTokens} read`);
      })
      .finally(() => waiting--);
  };
  return {
    '/health': { method: 'GET', answer: (_, response) => writeJson(response, 200, { status: 'ok' }) },
    '/v1/models': { method: 'GET', answer: (_, response) => writeJson(response, 200, { object: 'list', data: [model] }) },
    [`/v1/models/${name}`]: { method: 'GET', answer: (_, response) => writeJson(response, 200, model) },
    '/v1/chat/completions': { method: 'POST', answer },
  };
}

/** Headers that let pages of one origin ask. @returns true where the request is answered with them */
function allowOrigin(request: IncomingMessage, response: ServerResponse, cors: string | undefined): boolean {
  if (cors === undefined) return false;
  response.setHeader('access-control-allow-origin', cors);
  response.setHeader('vary', 'origin');
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.writeHead(204).end();
  return true;
}

function handler(options: ServeOptions, routes: Readonly<Record<string, Route>>) {
  const local = isLoopback(hostInUrl(options.host));
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      if (local) checkHost(request);
      if (allowOrigin(request, response, options.cors)) return;
      const path = decodeURI(new URL(request.url ?? '/', 'http://x').pathname);
      if (!Object.hasOwn(routes, path)) throw new ApiError(404, `There is no ${path} here; ask for ${Object.keys(routes).join(', ')}.`);
      const route = routes[path];
      if (request.method !== route.method) throw new ApiError(405, `${path} takes ${route.method}.`);
      if (path !== '/health') checkToken(request, options.token);
      await route.answer(request, response);
    } catch (error) {
      if (response.destroyed || options.signal.aborted) return void response.destroy();
      const said = apiError(error);
      if (said.status === 500) options.log.warn(`A request failed: ${error instanceof Error ? error.message : error}`);
      options.log.debug(`${request.method} ${request.url}: ${said.status} ${said.message}`);
      if (response.headersSent) return;
      // What was not read of a body must not be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      writeJson(response, said.status, errorBody(said), said.status === 503 ? { 'retry-after': '1' } : {});
    }
  };
}

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const LISTEN: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use; choose another --port, or 0 for a free one',
  EACCES: 'permission is denied; choose a --port from 1024 on',
  EADDRNOTAVAIL: 'this machine has no such address; choose another --host',
  ENOTFOUND: 'there is no such host; choose another --host',
};

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(new NarrowsError(`Cannot serve at ${hostInUrl(host)}:${port}: ${LISTEN[error.code ?? ''] ?? error.message}.`, { cause: error })),
    );
    server.listen(port, host, done);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** Starts a server. @throws NarrowsError where it cannot listen */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const name = options.modelName ?? options.chat.name;
  const routes = routesOf(options, name, Math.floor(Date.now() / 1000));
  const server = createServer({ requestTimeout: 120_000, headersTimeout: 20_000 }, handler(options, routes));
  const port = await listen(server, options.host, options.port);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise(done => server.close(done));
  };
  return { url: `http://${hostInUrl(options.host)}:${port}/v1`, [Symbol.asyncDispose]: close };
}
