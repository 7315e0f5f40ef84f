/** @file For tests: the studio's page in a real browser. */
import type { Browser, Page } from 'playwright-core';

/** Milliseconds that anything may take on a busy machine. */
export const PATIENCE = 120_000;

/** Opens a page on which things may move. */
export async function watch(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: 'no-preference' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(url);
  return page;
}

/** Waits until the maps are the model's own and can be taken away. */
export const settled = async (page: Page): Promise<void> => {
  await page.waitForSelector('button:has-text("PNG"):not([disabled])');
  await page.waitForSelector('button.primary:has-text("Explain"):not([disabled])');
};

/** Runs what the form says, and waits for the result. */
export async function explain(page: Page): Promise<void> {
  await page.click('button.primary:has-text("Explain")');
  await settled(page);
}

/** Opens a part of the side. */
async function unfold(page: Page, title: string): Promise<void> {
  const open = await page.locator('details.fold', { has: page.locator(`summary:text-is("${title}")`) }).getAttribute('open');
  if (open === null) await page.click(`summary:text-is("${title}")`);
}

/** The numbers of the table of patches, row by row, as they are read. */
export async function patchTable(page: Page): Promise<string[]> {
  await unfold(page, 'Values as tables');
  await page.waitForSelector('.values section td');
  return page.locator('.values section td').allTextContents();
}
