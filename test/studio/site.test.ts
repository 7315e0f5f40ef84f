/** @file The static site in a real browser: the newcomer's path, live frames, hovering, links, stopping, wrong files, no network, accessibility. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStudio } from '../../scripts/studio-build.ts';
import { decodeImage, loadModel, M2IB } from '../../src/index.ts';
import { digitsFor, displayScale, formatValue } from '../../src/report/attribution/normalise.ts';
import { chromiumPath, INSTALL, launch } from '../../src/web/testing/chromium.ts';
import { serve } from '../../src/web/testing/serve.ts';
import { axe, download, explain, explainAnswer, PATIENCE, patchTable, settled, unfold, type Watched, watch } from './support.ts';

if (!chromiumPath) process.stderr.write(`${INSTALL}\n`);

const folder = mkdtempSync(join(tmpdir(), 'narrows-site-'));
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;
let first: Watched;
let page: Page;

describe.skipIf(!chromiumPath)('the static site', () => {
  beforeAll(async () => {
    await buildStudio({ output: folder, site: true });
    server = await serve([['/studio/', folder]]);
    browser = await launch();
    first = await watch(browser, { url: `${server.url}/studio/`, moving: true });
    page = first.page;
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
    expect(await page.locator('.readout').first().textContent()).toContain('step 1 of 6');
    const early = await patchTable(page);
    await page.locator('.scrub input').fill('6');
    expect(await patchTable(page)).not.toEqual(early);
    await page.click('text=Replay');
    await expect.poll(() => page.locator('.scrub output').textContent(), { timeout: PATIENCE }).toBe('6 / 6');
  });

  it('comes back from its own link: options, methods, looks and numbers', async () => {
    await page.locator('input[id$="-beta"]').fill('0.5');
    await page.locator('input[id$="-beta"]').blur();
    await settled(page);
    await page.click('text=Compare with another method');
    await page.waitForSelector('.panels.n2 .panel:nth-of-type(2) .caption-map');
    await settled(page);
    await unfold(page, 'View');
    await page.check('input[name=unit][value=bits]');
    await page.click('.panel:first-of-type h2 button');
    const there = await patchTable(page);
    const other = await watch(browser, { url: page.url() });
    await other.page.waitForSelector('.panels.n2 .panel:nth-of-type(2) .caption-map');
    await settled(other.page);
    expect(await other.page.inputValue('#caption')).toBe('a bat');
    expect(await other.page.inputValue('input[id$="-beta"]')).toBe('0.5');
    await unfold(other.page, 'View');
    expect(await other.page.isChecked('input[name=unit][value=bits]')).toBe(true);
    expect(await patchTable(other.page)).toEqual(there);
    expect(other.page.url()).toBe(page.url());
    expect(other.complaints).toEqual([]);
    await other.context.close();
    // Their difference, by the two maps' own numbers: shares of each whole, since one has no nats.
    await page.check('label:has-text("difference of the two") input');
    const maps: number[][] = [];
    for (const place of ['first', 'nth']) {
      await page.click(`.panel:${place === 'first' ? 'first-of-type' : 'nth-of-type(2)'} h2 button`);
      const taken = JSON.parse((await download(page, () => page.click('button:has-text("JSON")'))).toString('utf8'));
      maps.push(taken.image.patches);
    }
    expect(maps[0]).not.toEqual(maps[1]);
    const stages = page.locator('.panels.n3 .panel').nth(2).locator('.stage');
    const { width, height } = (await stages.boundingBox())!;
    for (const [row, column] of [
      [2, 3],
      [5, 1],
    ]) {
      await stages.hover({ position: { x: ((column + 0.5) / 8) * width, y: ((row + 0.5) / 8) * height } });
      const readout = page.locator('.panels.n3 .panel').nth(2).locator('.readout');
      await expect.poll(() => readout.textContent()).toContain(`row ${row + 1}, column ${column + 1}: `);
      const said = [...(await readout.textContent())!.replaceAll('−', '-').matchAll(/-?\d+(?:\.\d+)?(?= and|,| percent)/g)].map(([text]) =>
        Number(text),
      );
      const shares = maps.map(patches => (100 * patches[row * 8 + column]) / patches.reduce((sum, value) => sum + Math.abs(value), 0));
      const own = [...shares, shares[0] - shares[1]];
      for (const [i, value] of said.slice(-3).entries()) expect(Math.abs(value - own[i])).toBeLessThan(0.06);
    }
    await page.click('button.remove >> nth=1');
  });

  it('stops when it is told to, and runs again', async () => {
    if (!(await page.locator('input[id$="-steps"]').isVisible())) await page.click('.options summary:has-text("more")');
    await page.locator('input[id$="-steps"]').fill('5000');
    await page.locator('input[id$="-steps"]').blur();
    await page.waitForSelector('.timeline');
    // It is dear by what was timed here, so the page asks.
    await page.click('.asking button:has-text("Compute")');
    await page.waitForSelector('.readout:has-text("of 5000")');
    // By its key: a click waits until nothing on the page moves, which a busy machine may never grant while frames come.
    await page.press('button.primary:has-text("Stop")', 'Enter');
    await page.waitForSelector('.readout:has-text("stopped after step")');
    await page.locator('input[id$="-steps"]').fill('6');
    await page.locator('input[id$="-steps"]').blur();
    await settled(page);
  });

  it('says in a sentence what is no picture, and goes on', async () => {
    const input = page.locator('input[type=file]').first();
    await input.setInputFiles({ name: 'letter.png', mimeType: 'image/png', buffer: Buffer.from('Dear Sir or Madam') });
    const said = await page.locator('.caption-form [role=alert]').textContent();
    expect(said).toMatch(/letter\.png/);
    expect(said).not.toMatch(/undefined|Error:|at .*\.js/);
    await input.setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer: readFileSync('examples/scene.png') });
    await page.waitForSelector('.stage img[alt="scene.png"]');
    await page.fill('#caption', 'a cat and an umbrella');
    await explain(page);
    expect(page.url()).toMatch(/picture=[0-9a-f]{64}/);
  });

  it('offers the frames of a film, and keeps the chosen one in its link and in what it copies', async () => {
    const film = 'src/inputs/image/dicom/testdata/frames.dcm';
    const copied = async (one: Page): Promise<string> => {
      const [offered] = [await download(one, () => one.click('button:has-text("JSON")'))];
      return JSON.parse(offered.toString('utf8')).provenance.image.reading.dicom.frame;
    };
    await page.locator('input[type=file]').first().setInputFiles(film);
    await page.waitForSelector('.frame-choice:has-text("frames.dcm holds 3 frames")');
    expect(await page.inputValue('.frame-choice input')).toBe('1');
    await settled(page);
    const before = await patchTable(page);
    await page.fill('.frame-choice input', '2');
    await page.locator('.frame-choice input').blur();
    await expect.poll(() => page.url()).toMatch(/picture=[0-9a-f]{64}\.2/);
    await settled(page);
    expect(await patchTable(page)).not.toEqual(before);
    expect(await copied(page)).toBe(2);
    // A page that has not the film asks for it, and then shows the frame of the link.
    const other = await watch(browser, { url: page.url() });
    await other.page.waitForSelector('.caption-form [role=alert]:has-text("Pictures never travel in links")');
    await other.page.locator('input[type=file]').first().setInputFiles(film);
    await other.page.waitForSelector('.frame-choice');
    expect(await other.page.inputValue('.frame-choice input')).toBe('2');
    await settled(other.page);
    expect(await patchTable(other.page)).toEqual(await patchTable(page));
    expect(other.complaints).toEqual([]);
    await other.context.close();
  });

  it('writes captions of two directions so that each is read in its own', async () => {
    await page.fill('#caption', 'قمر وذئب a moon and wolf');
    await page.click('button.primary:has-text("Explain")');
    await expect.poll(() => page.locator('.caption-map .word').count(), { timeout: PATIENCE }).toBe(6);
    await settled(page);
    const left = new Map<string, number>();
    for (const word of await page.locator('.caption-map .word').all()) left.set((await word.textContent())!, (await word.boundingBox())!.x);
    const order = [...left].sort((a, b) => a[1] - b[1]).map(([text]) => text);
    expect(order).toEqual(['a', 'moon', 'and', 'wolf', 'وذئب', 'قمر']);
    await page.fill('#caption', 'a moon and a wolf');
    await explain(page);
  });

  it('works without a network once it is loaded', async () => {
    await first.context.setOffline(true);
    await page.fill('#caption', 'an umbrella');
    await page.click('button.primary:has-text("Explain")');
    await expect.poll(() => page.locator('.caption-map .word').allTextContents(), { timeout: PATIENCE }).toEqual(['an', 'umbrella']);
    await settled(page);
    expect((await patchTable(page)).length).toBe(64);
    await first.context.setOffline(false);
  });

  it('talks in a worker of its own, and shows what each word of the answer needs of the picture', async () => {
    await page.click('nav >> text=Chat');
    await explainAnswer(page, 'describe the picture .', 'examples/studio/night.png');
  });

  it('opens a model by its address where the site may ask, and says where it may not', async () => {
    await page.click('nav >> text=Models');
    const open = async (reference: string): Promise<void> => {
      await page.fill('#reference', reference);
      await page.click('.open-another button:has-text("Open"):not([disabled])');
    };
    await open('https://models.example/clip/');
    await expect
      .poll(() => page.locator('.models [role=alert]').textContent())
      .toMatch(/may ask .* only, .*--models-from https:\/\/models\.example/);
    await open(`${server.url}/studio/models/scene-clip/`);
    await page.waitForSelector('.model:has-text("from an address") .tag:text-is("open")');
    await page.click('.model:has-text("from an address") button:has-text("Explain with it")');
    await settled(page);
    expect(page.url()).toContain(encodeURIComponent('/studio/models/scene-clip/'));
  });

  it('audits a folder that is chosen: attributed, filtered, judged by keys, stopped, gone on with, saved, opened', async () => {
    const ward = join(folder, 'ward');
    mkdirSync(ward);
    for (const name of ['night.png', 'lion.png']) copyFileSync(`examples/studio/${name}`, join(ward, name));
    writeFileSync(join(ward, 'pairs.csv'), 'image,text\nnight.png,a moon and a wolf\nlion.png,a lion\ngone.png,a rocket\n');
    await page.click('nav >> text=Audit');
    expect(await page.locator('.audit .empty-note').textContent()).toContain('folder of pictures');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('button:has-text("Choose a folder")')]);
    await chooser.setFiles(ward);
    await page.waitForSelector('.audit-row >> nth=2');
    expect(await page.locator('.audit .empty-note').count()).toBe(0);
    await page.selectOption('[aria-label="Method of the audit"]', 'm2ib');
    await page.click('button.primary:has-text("Attribute all"):not([disabled])');
    await page.click('button.primary:has-text("Stop")');
    await page.waitForSelector('.audit .note:has-text("the next run goes on from here")');
    await page.click('button.primary:has-text("Attribute all")');
    await page.waitForSelector('.audit .note:has-text("The audit is done. 1 pair failed; the next run tries it again.")');
    await using model = await loadModel('scene-clip');
    await using method = new M2IB(model);
    const own = await method.attribute({ image: await decodeImage('examples/studio/lion.png'), text: 'a lion' });
    const lion = page.locator('.audit-row', { hasText: 'a lion' });
    expect(await lion.locator('.c-cosine').textContent()).toBe(own.cosine.toFixed(3));
    expect(Math.abs(Number(await lion.locator('.c-bits').textContent()) - own.image!.totalBits! - own.text!.totalBits!)).toBeLessThan(1);
    expect(await page.locator('.audit-row.failed small').textContent()).toContain('gone.png is not among the chosen files');
    await lion.click();
    await page.waitForSelector('.audit-detail .caption-line:text-is("a lion")');
    await page.locator('.audit-table').focus();
    await page.keyboard.press('w');
    await expect.poll(() => lion.locator('.c-verdict').textContent()).toBe('wrong');
    await page.selectOption('[aria-label="Verdict"]', 'wrong');
    await expect.poll(() => page.locator('.audit-row').count()).toBe(1);
    const lines = (await download(page, () => page.click('button:has-text("Save as JSONL")'))).toString('utf8').trim().split('\n');
    expect(lines.map(line => JSON.parse(line)).map(({ image, state, verdict }) => [image, state, verdict])).toEqual([
      ['night.png', 'done', undefined],
      ['lion.png', 'done', 'wrong'],
      ['gone.png', 'failed', undefined],
    ]);
    await lion.click();
    await page.click('button:has-text("Open in Attribute")');
    await settled(page);
    expect(await page.inputValue('#caption')).toBe('a lion');
    await page.waitForSelector('.stage img[alt="lion.png"]');
  });

  it('has complained of nothing, and broken no policy', () => {
    expect(first.complaints).toEqual([]);
  });

  it.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('is accessible in every view (%s, %i pixels)', async (theme, width) => {
    const { page: one, context, complaints } = await watch(browser, { url: `${server.url}/studio/`, dark: theme === 'dark', width });
    await settled(one);
    for (const title of ['View', 'Question and seeds', 'Values as tables']) await unfold(one, title);
    expect(await axe(one)).toEqual([]);
    // Nothing sticks out to the right.
    expect(await one.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    // All views are in sight: nothing of the navigation is scrolled away.
    expect(
      await one.evaluate(() => [...document.querySelectorAll('nav a')].every(a => a.getBoundingClientRect().right <= innerWidth)),
    ).toBe(true);
    for (const view of ['chat', 'audit', 'compare', 'robustness', 'models']) {
      await one.evaluate(name => {
        location.hash = `#/${name}`;
      }, view);
      await one.waitForSelector(`nav a[aria-current]:has-text("${view}")`);
      await one.waitForSelector('main h1');
      expect(await axe(one), view).toEqual([]);
      expect(await one.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});
