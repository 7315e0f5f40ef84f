/** @file A hub of one repository on this machine, which speaks the hub's protocol: for tests. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The repository's only commit. */
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
/** As the hub names large files. */
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
/** As the hub names small ones. */
export const gitSha1 = (bytes: Buffer): string => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Answers a request itself where it returns true. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** A hub with one repository `org/name`. Big files are redirected to another path, as the real one does. */
export class StandInHub {
  readonly log: string[] = [];
  readonly ranges: (string | undefined)[] = [];
  readonly tokens = new Set<string | undefined>();
  files: Record<string, Buffer>;
  /** Answers a request itself when it returns true. */
  interfere: Interference = () => false;
  private server!: Server;
  address = '';

  constructor(files: Readonly<Record<string, Buffer>>) {
    this.files = { ...files };
  }

  async start(): Promise<this> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise(resolve => this.server.close(() => resolve()));
  }

  private entry(path: string): object {
    const bytes = this.files[path];
    const lfs = path.endsWith('.safetensors') && {
      lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 },
      xetHash: 'f'.repeat(64),
    };
    return { type: 'file', path, size: bytes.length, oid: gitSha1(bytes), ...lfs };
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent((request.url ?? '').split('?')[0]);
    this.log.push(`${request.method} ${url}`);
    this.tokens.add(request.headers.authorization);
    if (this.interfere(request, response)) return;
    const json = (body: unknown): void => void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (/^\/api\/models\/org\/name\/revision\/(main|v1)$/.test(url))
      json({ _id: '1', id: 'org/name', sha: COMMIT, lastModified: '2026-01-01' });
    else if (url === `/api/models/org/name/tree/${COMMIT}`) {
      const all = [{ type: 'directory', path: 'onnx', size: 0, oid: '0' }, ...Object.keys(this.files).map(path => this.entry(path))];
      const second = request.url?.includes('cursor');
      // Two pages, as for a repository with many files.
      if (!second) response.setHeader('link', `<${this.address}${request.url}&cursor=2>; rel="next"`);
      json(second ? all.slice(3) : all.slice(0, 3));
    } else if (url.startsWith(`/org/name/resolve/${COMMIT}/`))
      this.file(url.slice(`/org/name/resolve/${COMMIT}/`.length), request, response);
    else if (url.startsWith('/cdn/')) this.send(this.files[url.slice(5)], request, response);
    else response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end();
  }

  private file(path: string, request: IncomingMessage, response: ServerResponse): void {
    const bytes = this.files[path];
    if (!bytes) response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    else if (path.endsWith('.safetensors')) {
      const headers = { 'x-repo-commit': COMMIT, 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': bytes.length };
      response.writeHead(302, { ...headers, location: `${this.address}/cdn/${path}` }).end();
    } else this.send(bytes, request, response.setHeader('etag', `"${gitSha1(bytes)}"`));
  }

  private send(bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
    this.ranges.push(request.headers.range);
    const from = Number(request.headers.range?.match(/bytes=(\d+)-/)?.[1] ?? 0);
    if (from > 0) response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(from));
  }
}
