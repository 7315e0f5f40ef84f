/** @file The built page: its files are listed once, and nothing else is ever served. */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

/** A file of the page. */
interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
}

/** What is said where the page was not built. */
export const NOT_BUILT =
  'The page of the studio is not built: run `npm run build` in the folder of Narrows, then start `narrows studio` again.';

/** Where the build puts the page: `dist/studio/page`, from the sources and from the built command alike. */
export const pageFolder = (): string => {
  const here = import.meta.url;
  return fileURLToPath(new URL(here.endsWith('.ts') ? '../../../dist/studio/page' : '../../studio/page', here));
};

/** The page's files by their paths in addresses. */
export class PageFiles {
  private constructor(private readonly files: ReadonlyMap<string, PageFile>) {}

  /** Lists a folder; what links lead out of it is left out. An empty list where there is no page. */
  static async open(folder: string): Promise<PageFiles> {
    const files = new Map<string, PageFile>();
    const root = await realpath(folder).catch(() => undefined);
    const entries = root === undefined ? [] : await readdir(root, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const type = TYPES[extname(entry.name).toLowerCase()];
      const real = await realpath(path).catch(() => '');
      if (type === undefined || !real.startsWith(root + sep)) continue;
      const info = await stat(real);
      if (info.isFile()) files.set(`/${relative(root!, path).split(sep).join('/')}`, { path: real, type, bytes: info.size });
    }
    const index = files.get('/index.html');
    if (index) files.set('/', index);
    return new PageFiles(files);
  }

  /** Whether the page was built. */
  get built(): boolean {
    return this.files.has('/');
  }

  /** Sends a file. @returns false where there is none of that path */
  send(path: string, response: ServerResponse, head: boolean): boolean {
    const file = this.files.get(path);
    if (!file) return false;
    response.writeHead(200, { 'content-type': file.type, 'content-length': String(file.bytes), 'cache-control': 'no-cache' });
    if (head) response.end();
    else
      createReadStream(file.path)
        .on('error', () => response.destroy())
        .pipe(response);
    return true;
  }
}
