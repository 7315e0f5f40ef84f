/** @file A small endpoint on this machine that answers as a test says, and remembers what it was sent. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any form
  readonly body: any;
}

/** How the server answers one request. */
export type Answerer = (request: Received, response: ServerResponse, number: number) => void | Promise<void>;

/** A running server. */
export interface EndpointServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly received: Received[];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString('utf8') || 'null');
}

/** A whole reply of a model. */
export const completion = (content: unknown, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  id: 'x',
  object: 'chat.completion',
  model: 'judge-1',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', ...more }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
});

/** Answers with JSON. */
export function json(response: ServerResponse, value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** Starts a server. @param answer is called with each request and its number, from 0 on */
export async function endpointServer(answer: Answerer, host = '127.0.0.1'): Promise<EndpointServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const one = { path: request.url ?? '', headers: request.headers, body: await bodyOf(request) };
    received.push(one);
    await answer(one, response, received.length - 1);
  });
  await new Promise<void>(done => server.listen(0, host, done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/v1`,
    host: `${host}:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  };
}
