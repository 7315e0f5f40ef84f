/** @file The protocol as addresses: each call of a backend is a path below `/api/`. Bodies and replies are JSON, streams a line of it per event. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type StudioBackend, StudioError, type StudioEvent } from '../../studio/protocol.ts';
import { eventToLine } from '../../studio/wire.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parsePlain } from '../../system/json-depth.ts';
import type { EvidenceTask } from './evidence-reader.ts';
import { readBody } from './http-guard.ts';

/** Largest body of a request that is no picture, bytes. */
const JSON_BODY = 1 << 20;
/** Largest picture file, bytes. */
const PICTURE_BODY = 32 << 20;

/** A call: what it is about, and where the answer goes. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The changing part of the path. */
  readonly id: string;
  /** Aborted when the page has gone. */
  readonly signal: AbortSignal;
}

/** A path. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  answer(call: Call): Promise<void>;
}

/** Sends a value as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendBytes(response, status, Buffer.from(JSON.stringify(value)));
}

/** Sends the bytes of JSON. */
function sendBytes(response: ServerResponse, status: number, body: Uint8Array): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': String(body.length), 'cache-control': 'no-store' })
    .end(body);
}

async function sendBlob(response: ServerResponse, blob: Blob): Promise<void> {
  const body = Buffer.from(await blob.arrayBuffer());
  // A download even where somebody opens the address by itself: an exported page must not run under the studio's origin.
  const headers = {
    'content-type': blob.type,
    'content-length': String(body.length),
    'content-disposition': 'attachment',
    'cache-control': 'no-store',
  };
  response.writeHead(200, headers).end(body);
}

async function jsonOf(request: IncomingMessage): Promise<never> {
  const text = Buffer.from(await readBody(request, 'application/json', JSON_BODY)).toString('utf8');
  try {
    return parsePlain(text) as never;
  } catch {
    throw new StudioError('usage', 'The body is no JSON.');
  }
}

/** A line of an event; a result that JSON cannot hold (a number that is none) becomes the failure of its method. */
function lineOf(event: StudioEvent): string {
  try {
    return eventToLine(event);
  } catch (error) {
    if (event.kind !== 'result' || !(error instanceof NarrowsError)) throw error;
    return eventToLine({ kind: 'failure', reason: 'input', message: error.message, method: event.method, index: event.index });
  }
}

/** Sends events as they come; a page that reads slowly slows nothing but itself. */
async function sendEvents({ response, signal }: Call, events: AsyncIterable<StudioEvent>): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  for await (const event of events) {
    if (signal.aborted || response.destroyed) return;
    if (!response.write(`${lineOf(event)}\n`)) await once(response, 'drain', { signal }).catch(() => {});
  }
  response.end();
}

const number = (query: URLSearchParams, name: string, most: number): number | undefined => {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < 1 || value > most)
    throw new StudioError('usage', `${name} must be a whole number from 1 to ${most}.`);
  return value;
};

/** A backend of the server: what is large comes as the bytes that are sent. */
export interface ServedBackend extends StudioBackend {
  evidence(kind: EvidenceTask['kind'], source: string, signal?: AbortSignal): Promise<Uint8Array>;
}

/** All paths. */
export function routesOf(backend: ServedBackend): readonly Route[] {
  const get = (path: RegExp, answer: (call: Call) => Promise<unknown>): Route => ({
    method: 'GET',
    path,
    answer: async call => sendJson(call.response, 200, await answer(call)),
  });
  const post = (name: string, answer: (body: never) => Promise<unknown>): Route => ({
    method: 'POST',
    path: new RegExp(`^/api/${name}$`),
    answer: async ({ request, response }) => sendJson(response, 200, (await answer(await jsonOf(request))) ?? {}),
  });
  const blob = (name: string, answer: (body: never) => Promise<Blob>): Route => ({
    method: 'POST',
    path: new RegExp(`^/api/${name}$`),
    answer: async ({ request, response }) => sendBlob(response, await answer(await jsonOf(request))),
  });
  const stream = (name: 'open' | 'attribute' | 'chat' | 'audit'): Route => ({
    method: 'POST',
    path: new RegExp(`^/api/${name}$`),
    answer: async call => sendEvents(call, backend[name](await jsonOf(call.request), { signal: call.signal })),
  });
  const evidence = (name: string, kind: EvidenceTask['kind']): Route => ({
    method: 'POST',
    path: new RegExp(`^/api/${name}$`),
    async answer({ request, response, signal }) {
      const { source } = (await jsonOf(request)) as { readonly source?: unknown };
      sendBytes(response, 200, await backend.evidence(kind, text(source, 'source'), signal));
    },
  });
  const text = (value: unknown, name: string): string => {
    if (typeof value !== 'string') throw new StudioError('usage', `The request's ${name} is missing.`);
    return value;
  };
  return [
    get(/^\/api\/info$/, () => backend.info()),
    get(/^\/api\/models$/, () => backend.models()),
    get(/^\/api\/sources$/, () => backend.sources()),
    get(/^\/api\/pictures\/([0-9a-f]{64}(?:\.[1-9]\d{0,5})?)$/, ({ id }) => backend.picture(id)),
    {
      method: 'GET',
      path: /^\/api\/pictures\/([0-9a-f]{64}(?:\.[1-9]\d{0,5})?)\/file$/,
      answer: async ({ id, query, response }) => sendBlob(response, await backend.pictureFile(id, number(query, 'longest', 8192))),
    },
    {
      method: 'POST',
      path: /^\/api\/pictures$/,
      async answer({ request, response, query }) {
        const bytes = await readBody(request, 'application/octet-stream', PICTURE_BODY);
        const name = (query.get('name') ?? 'picture').slice(0, 255);
        sendJson(response, 200, await backend.addPicture(new Blob([bytes as Uint8Array<ArrayBuffer>]), name));
      },
    },
    ...(['open', 'attribute', 'chat', 'audit'] as const).map(stream),
    post('estimate', body => backend.estimate(body)),
    post('score', body => backend.score(body)),
    post('rows', body => backend.rows(body)),
    post('verdict', body => backend.verdict(body)),
    post('cancel', async (body: { readonly job?: unknown }) => ({ cancelled: await backend.cancel(text(body?.job, 'job')) })),
    post('row', (body: { readonly source?: unknown; readonly row?: unknown }) =>
      backend.row(text(body?.source, 'source'), text(body?.row, 'row')),
    ),
    evidence('comparison', 'comparison'),
    evidence('robustness', 'evaluation'),
    blob('export', body => backend.exportResult(body)),
    blob('audit-lines', (body: { readonly source?: unknown }) => backend.exportAudit(text(body?.source, 'source'))),
    blob('thumbnail', (body: { readonly source?: unknown; readonly row?: unknown }) =>
      backend.thumbnail(text(body?.source, 'source'), text(body?.row, 'row')),
    ),
  ];
}
