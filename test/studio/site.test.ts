/** @file The static site in a real browser: the newcomer's path, the library's numbers, hovering by mouse and keys, live frames. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStudio } from '../../scripts/studio-build.ts';
import { decodeImage, loadModel, M2IB } from '../../src/index.ts';
import { digitsFor, displayScale, formatValue } from '../../src/report/attribution/normalise.ts';
import { chromiumPath, INSTALL, launch } from '../../src/web/testing/chromium.ts';
import { serve } from '../../src/web/testing/serve.ts';
import { explain, PATIENCE, patchTable, settled, watch } from './support.ts';

if (!chromiumPath) process.stderr.write(`${INSTALL}\n`);

const folder = mkdtempSync(join(tmpdir(), 'narrows-site-'));
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;
let page: Page;

describe.skipIf(!chromiumPath)('the static site', () => {
  beforeAll(async () => {
    await buildStudio({ output: folder, site: true });
    server = await serve([['/studio/', folder]]);
    browser = await launch();
    page = await watch(browser, `${server.url}/studio/`);
  }, 4 * PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is alive before its model is: an example with its frames', async () => {
    await page.waitForSelector('.caption-map .word');
    expect(await page.inputValue('#caption')).toBe('a moon and a wolf');
    expect(await page.locator('.timeline polyline').count()).toBeGreaterThan(0);
    await settled(page);
  });

  it('shows the very numbers of the library, patch by patch and word by word', async () => {
    await using model = await loadModel('scene-clip');
    await using method = new M2IB(model);
    const image = await decodeImage('examples/studio/night.png');
    const result = await method.attribute({ image, text: 'a moon and a wolf' });
    const { patches } = result.image!;
    const scale = displayScale(patches, 'nats');
    const expected = Array.from(patches, value => formatValue(value, digitsFor(scale.high)));
    await expect.poll(() => page.locator('.scrub output').textContent(), { timeout: PATIENCE }).toBe('10 / 10');
    const shown = await patchTable(page);
    // The last digit that is shown may differ between the two builds of ONNX Runtime.
    expect(shown.length).toBe(64);
    for (const [i, text] of shown.entries()) expect(Math.abs(Number(text) - Number(expected[i])), `patch ${i}`).toBeLessThanOrEqual(1);
    expect(new Set(expected).size).toBeGreaterThan(8);
    const labels = await page.locator('.caption-map .word').evaluateAll(words => words.map(word => word.getAttribute('aria-label') ?? ''));
    for (const [i, word] of result.text!.words.entries()) {
      expect(labels[i].startsWith(`${word.text}: `)).toBe(true);
      expect(Math.abs(Number.parseFloat(labels[i].slice(word.text.length + 2)) - word.value)).toBeLessThan(0.2);
    }
  });

  it('says what the pointer and the keys are on, in the same words as the table', async () => {
    const values = await patchTable(page);
    const stage = page.locator('.stage').first();
    const box = (await stage.boundingBox())!;
    // Row 3, column 4 of 8.
    await stage.hover({ position: { x: (3.5 / 8) * box.width, y: (2.5 / 8) * box.height } });
    await expect.poll(() => page.locator('.readout').first().textContent()).toContain(`row 3, column 4: ${values[2 * 8 + 3]} nats`);
    await stage.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('.readout').first().textContent()).toContain(`row 4, column 5: ${values[3 * 8 + 4]} nats`);
    await expect.poll(() => page.locator('[role=status][aria-live]').textContent()).toContain('row 4, column 5');
    await page.keyboard.press('Escape');
  });

  it('draws the gate live, and goes back to any step', async () => {
    await page.fill('#caption', 'a bat');
    const steps = new Set<string>();
    await page.exposeFunction('sawStep', (text: string) => steps.add(text));
    await page.evaluate(() => {
      const see = (): void => {
        (globalThis as unknown as { sawStep(text: string): void }).sawStep(document.querySelector('.scrub output')?.textContent ?? '');
      };
      new MutationObserver(see).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await explain(page);
    await expect.poll(() => steps.size, { timeout: PATIENCE }).toBeGreaterThan(3);
    await page.locator('.scrub input').fill('1');
    expect(await page.locator('.readout').first().textContent()).toContain('step 1 of 10');
    const early = await patchTable(page);
    await page.locator('.scrub input').fill('10');
    expect(await patchTable(page)).not.toEqual(early);
    await page.click('text=Replay');
    await expect.poll(() => page.locator('.scrub output').textContent(), { timeout: PATIENCE }).toBe('10 / 10');
  });
});
