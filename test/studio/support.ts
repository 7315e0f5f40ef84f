/** @file For tests: the studio's page in a real browser, with everything that it complains about. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** Milliseconds that anything may take on a busy machine. */
export const PATIENCE = 120_000;

/** A page with its complaints. */
export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, violations of the policy. */
  readonly complaints: string[];
}

/** How a page is opened. */
export interface Opening {
  readonly url: string;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Things may move; without, frames are shown at once. */
  readonly moving?: boolean;
  /** A tab beside another one. */
  readonly context?: BrowserContext;
}

/** Opens a page and listens. */
export async function watch(
  browser: Browser,
  { url, width = 1280, height = 860, dark = false, moving = false, context }: Opening,
): Promise<Watched> {
  const used =
    context ??
    (await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: moving ? 'no-preference' : 'reduce',
      acceptDownloads: true,
    }));
  const page = await used.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  await page.exposeFunction('narrowsViolation', (text: string) => complaints.push(text));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', event => {
      (globalThis as unknown as { narrowsViolation(text: string): void }).narrowsViolation(
        `policy: ${event.violatedDirective} ${event.blockedURI}`,
      );
    });
  });
  await page.goto(url);
  return { context: used, page, complaints };
}

/** Waits until the maps are the model's own and can be taken away. */
export const settled = async (page: Page): Promise<void> => {
  await page.waitForSelector('button:has-text("PNG"):not([disabled])');
  await page.waitForSelector('button.primary:has-text("Explain"):not([disabled])');
};

/** Waits until the frames were played to the end: until then tables show the step that is seen. */
export const played = (page: Page): Promise<unknown> => page.waitForSelector('.scrub output:text-is("10 / 10")');

/** Runs what the form says, and waits for the result. */
export async function explain(page: Page): Promise<void> {
  await page.click('button.primary:has-text("Explain")');
  await settled(page);
}

/** Opens a part of the side. */
export async function unfold(page: Page, title: string): Promise<void> {
  const open = await page.locator('details.fold', { has: page.locator(`summary:text-is("${title}")`) }).getAttribute('open');
  if (open === null) await page.click(`summary:text-is("${title}")`);
}

/** The numbers of the table of patches, row by row, as they are read. */
export async function patchTable(page: Page): Promise<string[]> {
  await unfold(page, 'Values as tables');
  await page.waitForSelector('.values section td');
  return page.locator('.values section td').allTextContents();
}

/** The last file that the page offers when something is clicked. */
export async function download(page: Page, click: () => Promise<void>): Promise<Buffer> {
  const [offered] = await Promise.all([page.waitForEvent('download'), click()]);
  return readFileSync(await offered.path());
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Violations of accessibility that axe finds, a line each. It is run through the debugger's own channel, so that the page's policy stays as it
 * is.
 */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(axePath, 'utf8'));
  return page.evaluate(async () => {
    type Axe = { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> };
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
  });
}
