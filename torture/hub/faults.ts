/** @file A hub that misbehaves by a plan: every answer is drawn from the faults that networks, mirrors and attackers bring about. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The commit of the made-up repository. */
export const COMMIT = 'ab'.repeat(20);

/** Its files. */
export const FILES: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type": "siglip"}'),
  'tokenizer.json': Buffer.from('{"model": {}}'),
  'preprocessor_config.json': Buffer.from('{"size": 8}'),
  'model.safetensors': Buffer.alloc(20_000, 'weights of a model '),
};

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const LISTING = Object.entries(FILES).map(([path, bytes]) => ({
  ...{ type: 'file', path, size: bytes.length, oid: 'f'.repeat(40) },
  lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 },
}));

/** What the hub was asked, by whom. */
export interface Seen {
  readonly host: 'hub' | 'stranger';
  readonly url: string;
  readonly authorization?: string;
}

/** An answer to one request; `true` where it has answered. */
export type Fault = (request: IncomingMessage, response: ServerResponse, hub: FaultyHub) => boolean;

const isFile = (request: IncomingMessage): boolean => (request.url ?? '').includes('/resolve/');
const isList = (request: IncomingMessage): boolean => (request.url ?? '').includes('/tree/');
const bodyOf = (request: IncomingMessage): Buffer => FILES[(request.url ?? '').split('?')[0].split('/').at(-1)!] ?? Buffer.from('{}');

/** Part of a file from where the request wants it, as servers give it. */
function range(request: IncomingMessage, response: ServerResponse, content = bodyOf(request)): Buffer {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0) response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
  return content.subarray(from);
}

const busy =
  (status: number, headers: Record<string, string> = {}): Fault =>
  (_, response) => {
    response.writeHead(status, headers).end();
    return true;
  };

const listing =
  (change: (one: (typeof LISTING)[number]) => object): Fault =>
  (request, response) => {
    if (!isList(request)) return false;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(LISTING.map(change)));
    return true;
  };

/** Faults by name. One that does not concern a request lets it pass. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  none: () => false,
  'cut at once': (_, response) => {
    response.destroy();
    return true;
  },
  'cut in the middle': (request, response) => {
    if (!isFile(request)) return false;
    const body = bodyOf(request);
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
    return true;
  },
  'ends early without saying': (request, response) => {
    if (!isFile(request)) return false;
    response.end(bodyOf(request).subarray(0, 7));
    return true;
  },
  'one byte wrong': (request, response) => {
    if (!isFile(request)) return false;
    const body = Buffer.from(bodyOf(request));
    body[body.length >> 1] ^= 1;
    response.end(range(request, response, body));
    return true;
  },
  'another file of the same length (the ETag changed)': (request, response) => {
    if (!isFile(request)) return false;
    response.setHeader('etag', '"new"');
    response.end(range(request, response, Buffer.alloc(bodyOf(request).length, 'x')));
    return true;
  },
  'more than was announced': (request, response) => {
    if (!isFile(request)) return false;
    response.end(Buffer.concat([bodyOf(request), Buffer.alloc(50_000, 'more')]));
    return true;
  },
  'a range that was not asked for': (request, response) => {
    if (!isFile(request)) return false;
    const body = bodyOf(request);
    response.writeHead(206, { 'content-range': `bytes 5-${body.length - 1}/${body.length}` }).end(body.subarray(5));
    return true;
  },
  'the whole file in place of a range': (request, response) => {
    if (!isFile(request)) return false;
    response.writeHead(200).end(bodyOf(request));
    return true;
  },
  'range not satisfiable': (request, response) => isFile(request) && busy(416)(request, response, {} as FaultyHub),
  'redirect to another host': (request, response, hub) => {
    response.writeHead(302, { location: `${hub.stranger}${request.url}` }).end();
    return true;
  },
  'redirect in a circle': (request, response) => {
    response.writeHead(302, { location: request.url ?? '/' }).end();
    return true;
  },
  'redirect to a file of this machine': (_, response) => {
    response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    return true;
  },
  'slow drip': (request, response) => {
    if (!isFile(request)) return false;
    const body = bodyOf(request);
    response.writeHead(200, { 'content-length': body.length });
    let at = 0;
    const timer = setInterval(() => {
      response.write(body.subarray(at, at + 500));
      at += 500;
    }, 10);
    response.on('close', () => clearInterval(timer));
    return true;
  },
  silence: () => true,
  'an error page with 200': (_, response) => {
    response.setHeader('content-type', 'text/html').end('<html>Sign in to the network</html>');
    return true;
  },
  'broken JSON': (request, response) => {
    if (isFile(request)) return false;
    response.setHeader('content-type', 'application/json').end('[{"type":');
    return true;
  },
  'too many requests': busy(429, { 'retry-after': '0' }),
  'too many requests, for a year': busy(429, { 'retry-after': '31536000' }),
  'too many requests, in words': busy(429, { 'retry-after': 'soon' }),
  'service unavailable': busy(503),
  'bad gateway': busy(502),
  unauthorized: busy(401),
  forbidden: busy(403),
  gone: busy(404),
  'names that climb out': listing(one => ({ ...one, path: one.path === 'tokenizer.json' ? '../../../../climbed.json' : one.path })),
  'absolute names': listing(one => ({ ...one, path: one.path === 'tokenizer.json' ? '/tmp/narrows-climbed.json' : one.path })),
  'a hash that climbs out': listing(one => ({ ...one, lfs: { ...one.lfs, oid: `../../../${'0'.repeat(55)}` } })),
  'a wrong hash in the list': listing(one => ({ ...one, lfs: { ...one.lfs, oid: '0'.repeat(64) } })),
  'a wrong size in the list': listing(one => ({ ...one, size: 3, lfs: { ...one.lfs, size: 3 } })),
  'a size without end in the list': listing(one => ({ ...one, size: 2 ** 53, lfs: { ...one.lfs, size: 2 ** 53 } })),
  'no hashes in the list': listing(({ lfs: _, oid: __, ...one }) => one),
  'a shard index that climbs out': (request, response) => {
    if (!isList(request)) return false;
    const index = Buffer.from(JSON.stringify({ weight_map: { a: '../../../../climbed.safetensors' } }));
    const rest = LISTING.filter(({ path }) => path !== 'model.safetensors');
    const more = {
      type: 'file',
      path: 'model.safetensors.index.json',
      size: index.length,
      oid: 'f'.repeat(40),
      lfs: { oid: sha256(index), size: index.length, pointerSize: 1 },
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify([...rest, more]));
    return true;
  },
};

/** Two servers: the hub, and a stranger that it may send to. */
export class FaultyHub implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** The faults of the next requests, in turn; none when they are used up. */
  plan: string[] = [];
  private constructor(
    private readonly servers: readonly Server[],
    readonly address: string,
    readonly stranger: string,
  ) {}

  static async start(): Promise<FaultyHub> {
    let hub: FaultyHub | undefined;
    const listen = async (host: Seen['host']): Promise<Server> => {
      const server = createServer((request, response) => hub!.answer(host, request, response));
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      return server;
    };
    const servers = [await listen('hub'), await listen('stranger')];
    // Other names of this machine are other hosts.
    const [address, stranger] = servers.map(
      (server, i) => `http://${['127.0.0.1', 'localhost'][i]}:${(server.address() as AddressInfo).port}`,
    );
    hub = new FaultyHub(servers, address, stranger);
    return hub;
  }

  private answer(host: Seen['host'], request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    this.seen.push({ host, url, authorization: request.headers.authorization });
    const fault = host === 'hub' ? FAULTS[this.plan.shift() ?? 'none'] : FAULTS.none;
    if (fault(request, response, this)) return;
    const json = (body: unknown): unknown => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (url.includes('/revision/')) json({ _id: '1', id: 'org/name', sha: COMMIT, lastModified: '2026-01-01' });
    else if (url.includes('/tree/')) json(LISTING);
    else response.end(range(request, response));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }
}
