/** @file Chromium for tests: Debian's, by playwright-core. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';

/** The browser itself; Debian's wrapper script adds options of its own. */
const PLACES = [process.env.NARROWS_CHROMIUM, '/usr/lib/chromium/chromium', '/usr/bin/chromium', '/usr/bin/google-chrome'];
/** Where Chromium is, if it is. */
export const chromiumPath = PLACES.find((path): path is string => path !== undefined && existsSync(path));
/** What to do where it is not. */
export const INSTALL = 'No Chromium here: apt-get install chromium, or name one with NARROWS_CHROMIUM. Tests in the browser were left out.';

/** Starts the browser. @param options command-line options */
export function launch(options: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage', ...options] });
}

/** Bundles a page of this folder's `page`, as a user's bundler would. */
export async function buildPage(folder: string, root = fileURLToPath(new URL('page', import.meta.url))): Promise<void> {
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', minify: false, modulePreload: false },
  });
}

/** A page with its complaints collected. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; said: string[] }> {
  const page = await (await browser.newContext()).newPage();
  const said: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') said.push(message.text());
  });
  page.on('pageerror', error => said.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => document.title === 'ready', undefined, { timeout: 120_000 });
  return { page, said };
}
