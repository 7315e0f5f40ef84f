/** @file A browser with the tests' page, and a server for it: what every test in a browser begins with. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { buildPage, chromiumPath, INSTALL, launch, openPage } from './chromium.ts';
import { ISOLATED, serve } from './serve.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Says once, and loudly, that tests are left out. */
export const browserHere = ((): boolean => {
  if (!chromiumPath) process.stderr.write(`\n*** ${INSTALL}\n\n`);
  return chromiumPath !== undefined;
})();

/** Starts all. @param options of Chromium's command line; `isolated`: whether the page may have threads; `mounts`: further folders by prefix */
export async function startSession(
  options: {
    readonly chromium?: readonly string[];
    readonly isolated?: boolean;
    readonly mounts?: readonly (readonly [prefix: string, folder: string])[];
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'narrows-page-'));
  await buildPage(folder);
  const mounts = [
    ...(options.mounts ?? []),
    ['/models/', join(repository, 'models')],
    ['/examples/', join(repository, 'examples')],
    ['/pictures/', join(repository, 'src/inputs/image/testdata')],
    ['/', folder],
  ] as const;
  const server = await serve(mounts, { headers: options.isolated === false ? {} : ISOLATED });
  const browser = await launch(options.chromium);
  const pages = new Set<Page>();
  return {
    server,
    browser,
    folder,
    /** A page, and what it complained of. */
    async open() {
      const opened = await openPage(browser, server.url);
      pages.add(opened.page);
      return opened;
    },
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
/** See `startSession`. */
export type Session = Awaited<ReturnType<typeof startSession>>;

/** A job of the page (page/jobs.ts, or the studio's of page/studio.ts). */
export const ask = <T>(page: Page, place: 'page' | 'worker' | 'studio', job: string, argument: unknown = {}): Promise<T> =>
  page.evaluate(([place, job, argument]) => window.ask(place as 'page', job as string, argument), [
    place,
    job,
    argument,
  ] as const) as Promise<T>;

/** Names of the shipped CLIP's files: a page that knows them asks for nothing else. */
export const CLIP_FILES = [
  'config.json',
  'model.safetensors',
  'preprocessor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'feature_statistics.safetensors',
];
