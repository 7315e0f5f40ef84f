/** @file A small server for tests: folders under prefixes, ranges, and faults where a test wants some. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.css': 'text/css',
  '.png': 'image/png',
};

/** How files are served. */
export interface ServeOptions {
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers a request itself. @returns true where it did */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly ranges?: boolean;
  readonly etag?: boolean;
}

/** Headers with which a page may have threads. */
export const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

/** Serves the first folder that has the file. @param mounts prefix and folder */
export async function serve(mounts: readonly (readonly [prefix: string, folder: string])[], options: ServeOptions = {}) {
  const requests: { readonly path: string; readonly range?: string }[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0]);
    requests.push({ path, range: request.headers.range });
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value);
    if (options.answer?.(request, response)) return;
    for (const [prefix, folder] of mounts) {
      if (!path.startsWith(prefix)) continue;
      const asked = join(folder, normalize(`/${path.slice(prefix.length)}`));
      const file = existsSync(asked) && statSync(asked).isDirectory() ? join(asked, 'index.html') : asked;
      if (!existsSync(file)) continue;
      const { size, mtimeMs } = statSync(file);
      response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
      if (options.etag !== false) response.setHeader('etag', `"${size}-${mtimeMs}"`);
      const range = options.ranges === false ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      const [from, to] = range ? [Number(range[1]), Math.min(Number(range[2]), size - 1)] : [0, size - 1];
      if (range) response.setHeader('content-range', `bytes ${from}-${to}/${size}`);
      response.writeHead(range ? 206 : 200, { 'content-length': size === 0 ? 0 : to - from + 1 });
      if (request.method === 'HEAD' || size === 0) response.end();
      else createReadStream(file, { start: from, end: to }).pipe(response);
      return;
    }
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(resolve));
    },
  };
}
