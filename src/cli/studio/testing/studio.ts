/** @file For tests: a studio on a free port with Node's backend, and the page's client of it. */
import { httpBackend } from '../../../studio/http-backend.ts';
import type { StudioBackend, StudioEvent } from '../../../studio/protocol.ts';
import { silent } from '../../../system/log.ts';
import { type StudioServer, type StudioServerOptions, startStudioServer } from '../http-server.ts';
import { NodeBackend, type NodeBackendOptions } from '../node-backend.ts';
import { quietContext } from '../quiet-context.ts';

/** A studio that runs. */
export interface TestStudio extends AsyncDisposable {
  readonly server: StudioServer;
  readonly backend: NodeBackend;
  /** The page's side. */
  readonly client: StudioBackend;
}

/** Starts a studio. */
export async function testStudio(
  options: Partial<NodeBackendOptions> = {},
  serving: Partial<StudioServerOptions> = {},
): Promise<TestStudio> {
  const backend = new NodeBackend({ context: quietContext(), sources: [], ...options });
  const server = await startStudioServer({ backend, port: 0, page: '/nowhere', log: silent, ...serving });
  const client = httpBackend({ origin: server.origin, token: server.token });
  return {
    ...{ server, backend, client },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await backend.close();
    },
  };
}

/** All events of a stream. */
export async function eventsOf(stream: AsyncIterable<StudioEvent>): Promise<StudioEvent[]> {
  const events: StudioEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Events of a kind. */
export const ofKind = <K extends StudioEvent['kind']>(events: readonly StudioEvent[], kind: K): Extract<StudioEvent, { kind: K }>[] =>
  events.filter((event): event is Extract<StudioEvent, { kind: K }> => event.kind === kind);
