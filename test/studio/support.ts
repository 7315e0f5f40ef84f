/** @file For tests: the studio's page in a real browser, with everything that it complains about. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { ChatModel, createAnswerMethod, decodeImage } from '../../src/index.ts';

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
export const played = (page: Page): Promise<void> =>
  expect.poll(() => page.locator('.scrub output').textContent(), { timeout: PATIENCE }).toMatch(/^(\d+) \/ \1$/);

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

/** What the library says of an answer: maps word by word, the picture's in rows of `columns`. */
async function ownAnswer(answer: string, question: string, file: string) {
  await using chat = await ChatModel.open('scene-llava-vittle');
  await using method = createAnswerMethod('m2ib', chat);
  return method.attribute({ image: await decodeImage(file), text: question }, { answer });
}

/**
 * Asks, has the answer explained, and points at its words by mouse and by keys: each says where the library's own map of that word is strongest, and
 * how strong.
 * @param file the picture that the page talks about
 */
export async function explainAnswer(page: Page, question: string, file: string): Promise<void> {
  await page.fill('#question', question);
  await page.click('button.primary:has-text("Ask"):not([disabled])');
  await page.waitForSelector('.turn.chosen .explain-answer button:has-text("Explain the answer"):not([disabled])');
  // What it costs is said before.
  await expect.poll(() => page.locator('.explain-answer .cost').textContent(), { timeout: PATIENCE }).toMatch(/steps/);
  const answer = (await page.locator('.turn.chosen .answer').textContent())!.trim();
  await page.click('.turn.chosen button:has-text("Explain the answer")');
  await page.waitForSelector('.turn.chosen .answer-words .said');
  const { image, answer: own } = await ownAnswer(answer, question, file);
  const words = page.locator('.turn.chosen .answer-words .said');
  expect(await words.allTextContents()).toEqual(own.parts.map(part => answer.slice(part.start, part.end)));
  const [, columns] = image!.grid;
  const says = (part: number): { readonly place: string; readonly value: number } => {
    const patches = own.parts[part].patches!;
    const best = patches.indexOf(Math.max(...patches));
    return { place: `row ${Math.floor(best / columns) + 1}, column ${(best % columns) + 1}`, value: patches[best] };
  };
  const holds = async (text: () => Promise<string | null>, part: number): Promise<void> => {
    const { place, value } = says(part);
    await expect.poll(text, { timeout: PATIENCE }).toContain(`“${own.parts[part].text}”`);
    const said = (await text())!;
    expect(said).toContain(`strongest at ${place}:`);
    // In the unit that was chosen in Attribute: a bit is ln 2 nats.
    const [, amount, unit] = /column \d+: ([\d.]+) (nats|bits)/.exec(said)!;
    const one = unit === 'bits' ? Math.LN2 : 1;
    // Half a unit of the last digit that is shown: of a word that needs next to nothing that may be all.
    const rounding = 0.5 * 10 ** -(amount.split('.')[1]?.length ?? 0) * one;
    expect(Math.abs(Number(amount) * one - value)).toBeLessThanOrEqual(0.02 * value + rounding);
  };
  const readout = () => page.locator('.chat .readout').textContent();
  const last = own.parts.length - 1;
  await words.nth(last).hover();
  await holds(readout, last);
  // A word that is kept stays while the pointer is on the picture; keys go from word to word.
  await words.nth(0).focus();
  await page.keyboard.press('ArrowRight');
  await holds(() => page.locator('[role=status][aria-live]').textContent(), 1);
  await page.keyboard.press('Enter');
  await page.locator('.chat .stage').hover();
  await page.mouse.move(0, 0);
  await expect.poll(readout).toContain(`“${own.parts[1].text}”`);
  await words.nth(1).focus();
  await page.keyboard.press('Escape');
  await page.locator('#question').focus();
  await expect.poll(readout).toContain('The whole answer');
  // What the bottleneck kept, whatever is answered, is one press away.
  await page.check('input[name=layer][value=keeps]');
  await expect.poll(readout).toContain('What the bottleneck kept');
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
