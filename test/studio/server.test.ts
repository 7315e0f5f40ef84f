/** @file The page of `narrows studio` in a real browser: a file of one's own, boxes, exports, two tabs, ten thousand rows, results, a chat. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStudio } from '../../scripts/studio-build.ts';
import { openSource } from '../../src/cli/studio/sources.ts';
import { type TestStudio, testStudio } from '../../src/cli/studio/testing/studio.ts';
import { attributionFromJson } from '../../src/report/attribution/json.ts';
import { analyse } from '../../src/report/comparison/analyse.ts';
import { drawGallery } from '../../src/report/comparison/draw-gallery.ts';
import { resultsJson } from '../../src/report/comparison/json.ts';
import { exampleResults } from '../../src/report/comparison/testing/example-results.ts';
import { exampleRun } from '../../src/report/evaluation/testing/example-run.ts';
import { exactJson } from '../../src/system/exact-json.ts';
import { chromiumPath, INSTALL, launch } from '../../src/web/testing/chromium.ts';
import { axe, download, explain, explainAnswer, PATIENCE, patchTable, played, settled, unfold, type Watched, watch } from './support.ts';

if (!chromiumPath) process.stderr.write(`${INSTALL}\n`);

const folder = mkdtempSync(join(tmpdir(), 'narrows-studio-'));
const ROWS = 10_000;
let browser: Browser;
let studio: TestStudio;
let first: Watched;
let page: Page;
const address = (): string => `${studio.server.origin}/#token=${studio.server.token}`;

describe.skipIf(!chromiumPath)('the page of narrows studio', () => {
  beforeAll(async () => {
    const built = join(folder, 'page');
    await buildStudio({ output: built, site: false });
    const pictures = ['night', 'party', 'lion', 'ball'].map(name => resolve(`examples/studio/${name}.png`));
    const lines = Array.from({ length: ROWS }, (_, i) => `${pictures[i % 4]},caption number ${i + 1}`);
    writeFileSync(join(folder, 'pairs.csv'), `image,caption\n${lines.join('\n')}\n`);
    studio = await testStudio(
      { sources: [await openSource(join(folder, 'pairs.csv'))], page: built, pictureFolders: [resolve('examples/studio')] },
      { page: built },
    );
    browser = await launch();
    first = await watch(browser, { url: address(), moving: true });
    page = first.page;
  }, 4 * PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await studio?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it("takes a newcomer from an example to a file of one's own, and the token out of the address", async () => {
    await page.waitForSelector('.caption-map .word');
    await settled(page);
    expect(page.url()).not.toContain(studio.server.token);
    await page.locator('input[type=file]').first().setInputFiles('examples/scene.png');
    await page.waitForSelector('.stage img[alt="scene.png"]');
    await page.fill('#caption', 'a cat and an umbrella');
    await explain(page);
  });

  it('gives away what it shows: JSON with the values of the table, a command, a program', async () => {
    await played(page);
    const shown = await patchTable(page);
    const file = await download(page, () => page.click('button:has-text("JSON")'));
    const result = attributionFromJson(file.toString('utf8'));
    expect(result.caption).toBe('a cat and an umbrella');
    for (const [i, text] of shown.entries()) expect(Math.abs(Number(text) - result.image!.patches[i])).toBeLessThanOrEqual(0.51);
    expect((await download(page, () => page.click('button:has-text("PNG")'))).subarray(1, 4).toString()).toBe('PNG');
    await first.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: studio.server.origin });
    await page.click('text=Copy as command');
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^narrows attribute .*a cat and an umbrella/);
    await page.click('text=Copy as TypeScript');
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('loadModel');
  });

  it('measures a box drawn by hand, and one drawn by keys', async () => {
    await unfold(page, 'View');
    await page.check('text=draw boxes on the picture');
    const stage = page.locator('.stage').first();
    await stage.scrollIntoViewIfNeeded();
    const box = (await stage.boundingBox())!;
    await page.mouse.move(box.x + 2, box.y + 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const values = (await patchTable(page)).map(Number);
    const left = values.filter((_, i) => i < 32).reduce((a, b) => a + b, 0) / values.reduce((a, b) => a + b, 0);
    await expect
      .poll(() => page.locator('.box-line').textContent(), { timeout: PATIENCE })
      .toMatch(/% of the map in (4\d|50)\.\d % of the area/);
    const share = Number.parseFloat((await page.locator('.box-line').textContent())!) / 100;
    // The metric weighs the map between patches too; the other half of the picture would be another number.
    expect(Math.abs(share - left)).toBeLessThan(Math.abs(share - (1 - left)) / 2);
    // A link carries the boxes.
    expect(page.url()).toMatch(/boxes=/);
    const linked = await watch(browser, { url: page.url(), context: first.context });
    await settled(linked.page);
    await expect.poll(() => linked.page.locator('.box-line').textContent(), { timeout: PATIENCE }).toMatch(/% of the area/);
    expect(await linked.page.locator('.box-line').textContent()).toBe(await page.locator('.box-line').textContent());
    await linked.page.close();
    await page.click('text=Remove all');
    await stage.focus();
    for (const key of ['ArrowUp', 'Home', 'Shift+ArrowRight', 'Shift+ArrowDown', 'Enter']) await page.keyboard.press(key);
    await expect.poll(() => page.locator('.drawn-box').count()).toBe(1);
    await page.click('text=Remove all');
    await page.uncheck('text=draw boxes on the picture');
  });

  it('asks before dear methods, and explains when it is told to', async () => {
    await page.selectOption('#method', 'occlusion');
    await page.waitForSelector('.asking');
    expect(await page.locator('.asking').textContent()).toMatch(/Occlusion/);
    // Nothing of the method before stands under the new name.
    await page.waitForSelector('button:has-text("PNG")[disabled]');
    expect(await page.locator('.panel .sum').textContent()).toBe('');
    expect(await page.locator('.caption-map').count()).toBe(0);
    await page.click('.asking button:has-text("Not now")');
    await page.selectOption('#method', 'm2ib');
    await settled(page);
  });

  /** The result as the page gives it away. */
  const taken = async () => attributionFromJson((await download(page, () => page.click('button:has-text("JSON")'))).toString('utf8'));

  it('says which patch and which word work together, by mouse, as the result has it', async () => {
    await page.selectOption('#method', 'exclip');
    const asks = page.locator('.asking button:has-text("Compute")');
    await page.waitForSelector('.asking, button:has-text("PNG"):not([disabled])');
    if (await asks.count()) await asks.click();
    await settled(page);
    const { interactions, text, image } = await taken();
    const { values, tokens, patches } = interactions!;
    const [rows, columns] = image!.grid;
    const patch = 2 * columns + 3;
    const together = text!.words.map(word =>
      word.tokens.reduce((sum, token) => sum + (tokens.includes(token) ? values[patch * tokens.length + tokens.indexOf(token)] : 0), 0),
    );
    const stage = page.locator('.stage').first();
    const box = (await stage.boundingBox())!;
    await stage.hover({ position: { x: (3.5 / columns) * box.width, y: (2.5 / rows) * box.height } });
    await page.waitForSelector('.note:has-text("what this patch says together with them")');
    const labels = await page.locator('.caption-map .word').evaluateAll(words => words.map(word => word.getAttribute('aria-label') ?? ''));
    const said = labels.map(label =>
      Number(
        label
          .slice(label.indexOf(': ') + 2)
          .split(' ')[0]
          .replace('−', '-'),
      ),
    );
    const largest = Math.max(...together.map(Math.abs));
    for (const [i, value] of together.entries()) expect(Math.abs(said[i] - value), labels[i]).toBeLessThan(0.02 * largest);
    expect(patches).toBe(rows * columns);
    await page.locator('.caption-map .word').last().hover();
    await page.waitForSelector('.note:has-text("Where this word and the picture work together")');
    await page.mouse.move(0, 0);
  });

  it('explains the caption against another and among labels, with several seeds; the result says which', async () => {
    await page.selectOption('#method', 'm2ib');
    await settled(page);
    await unfold(page, 'Question and seeds');
    await page.selectOption('#target-kind', 'against');
    await page.fill('#target-against', 'a rocket');
    await page.locator('#target-against').blur();
    await settled(page);
    await expect.poll(async () => (await taken()).target).toBe('cosine to the caption minus cosine to "a rocket"');
    await page.selectOption('#target-kind', 'labels');
    await page.fill('#target-labels', 'a cat and an umbrella, a rocket, a boat');
    await page.locator('#target-labels').blur();
    await settled(page);
    await expect.poll(async () => (await taken()).target).toMatch(/a rocket.*a boat/);
    await page.fill('#seeds', '2');
    await page.locator('#seeds').blur();
    await settled(page);
    await expect.poll(async () => (await taken()).image!.stability?.seeds.length).toBe(2);
    await page.fill('#seeds', '1');
    await page.locator('#seeds').blur();
    await page.selectOption('#target-kind', 'caption');
    await settled(page);
    await expect.poll(async () => (await taken()).target).not.toMatch(/rocket/);
  });

  it('puts four methods side by side, each on its own scale or those of a unit on one, and two with their difference', async () => {
    for (const panels of [2, 3, 4]) {
      await page.click('text=Compare with another method');
      await page.waitForSelector(`.panels.n${panels}`);
      const asks = page.locator('.asking button:has-text("Compute")');
      await page.waitForSelector('.asking, button:has-text("PNG"):not([disabled])');
      if (await asks.count()) await asks.click();
      await settled(page);
    }
    expect(await page.locator('text=Compare with another method').count()).toBe(0);
    const ends = () => page.locator('.panel .colour-bar').evaluateAll(bars => bars.map(bar => bar.textContent ?? ''));
    const units = (await ends()).map(text => text.includes('nats'));
    expect(units.length).toBe(4);
    await unfold(page, 'View');
    const own = await ends();
    await page.check('input[name=scale][value=one]');
    const one = await ends();
    expect(new Set(one.filter((_, i) => units[i])).size).toBe(units.includes(true) ? 1 : 0);
    expect(new Set(one.filter((_, i) => !units[i])).size).toBeLessThanOrEqual(1);
    expect(one).not.toEqual(own);
    await page.check('input[name=scale][value=own]');
    await page.click('button.remove >> nth=3');
    await page.click('button.remove >> nth=2');
    await page.check('text=difference of the two');
    await page.waitForSelector('.panel[aria-label*=" − "] .colour-bar');
    await page.click('button.remove >> nth=1');
    await page.waitForSelector('.panels.n1');
  });

  it('takes pictures that are dropped and pasted; captions made of markup and from right to left stay text', async () => {
    const bytes = [...readFileSync('examples/studio/lion.png')];
    const data = (name: string) =>
      page.evaluateHandle(
        ([content, file]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([new Uint8Array(content as number[])], file as string, { type: 'image/png' }));
          return carried;
        },
        [bytes, name] as const,
      );
    await page.dispatchEvent('.attribute', 'drop', { dataTransfer: await data('dropped.png') });
    await page.waitForSelector('.stage img[alt="dropped.png"]');
    await settled(page);
    await page.evaluate(
      clipboardData => void dispatchEvent(new ClipboardEvent('paste', { clipboardData: clipboardData as DataTransfer, bubbles: true })),
      await data('pasted.png'),
    );
    await page.waitForSelector('.stage img[alt="pasted.png"]');
    await settled(page);
    await page.dispatchEvent('.attribute', 'drop', { dataTransfer: await page.evaluateHandle(() => new DataTransfer()) });
    await page.waitForSelector('.caption-form [role=alert]:has-text("no file")');
    const evil = 'a lion <img src=x onerror=document.title=1> "and" <b>a</b> fish أسد';
    await page.fill('#caption', evil);
    await explain(page);
    // Frames are played first: the picture's, then the caption's.
    await expect
      .poll(async () => (await page.locator('.caption-map .word').allTextContents()).join(' '), { timeout: PATIENCE })
      .toContain('img');
    expect(await page.locator('main img[src=x], .caption-map img, .caption-map b').count()).toBe(0);
    expect(await page.title()).toContain('Narrows');
    expect((await taken()).caption).toBe(evil);
    await page.fill('#caption', 'a cat and an umbrella');
    await page.locator('input[type=file]').first().setInputFiles('examples/scene.png');
    await page.waitForSelector('.stage img[alt="scene.png"]');
    await explain(page);
  });

  it('gives its token to a second tab, and both work', async () => {
    const second = await watch(browser, { url: page.url(), context: first.context });
    await settled(second.page);
    expect(await second.page.inputValue('#caption')).toBe('a cat and an umbrella');
    // The map was computed by the first one: its frames came with it.
    expect(await second.page.locator('.timeline polyline').count()).toBeGreaterThan(0);
    await second.page.locator('.scrub input').fill('1');
    await expect.poll(() => second.page.locator('.readout').first().textContent()).toContain('step 1 of 6');
    await second.page.locator('.scrub input').fill('6');
    await Promise.all([explain(second.page), explain(page)]);
    expect(await patchTable(second.page)).toEqual(await patchTable(page));
    expect(second.complaints).toEqual([]);
    await second.page.close();
  });

  it('scrolls ten thousand rows and builds only those in sight; judges and finds by keys', async () => {
    await page.click('nav >> text=Audit');
    await page.waitForSelector('#audit-row-0:has-text("caption number 1")');
    await expect.poll(() => page.locator('.filters .note').textContent()).toBe(`${ROWS} pairs`);
    const table = page.locator('.audit-table');
    await table.focus();
    await page.keyboard.press('End');
    await page.waitForSelector(`#audit-row-${ROWS - 1}:has-text("caption number ${ROWS}")`);
    expect(await page.locator('.audit-row').count()).toBeLessThan(60);
    await page.keyboard.press('w');
    await page.waitForSelector(`#audit-row-${ROWS - 1} .c-verdict:has-text("wrong")`);
    const frames = await page.evaluate(async () => {
      const body = document.querySelector('.audit-body') as HTMLElement;
      let longest = 0;
      for (let i = 0; i < 30; i++) {
        body.scrollTop = (i * 9973 * 52) % (10_000 * 52);
        const before = performance.now();
        await new Promise(requestAnimationFrame);
        longest = Math.max(longest, performance.now() - before);
      }
      return { longest, rows: document.querySelectorAll('.audit-row').length };
    });
    expect(frames.rows).toBeLessThan(60);
    await page.fill('.filters input', `number ${ROWS}`);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.filters .note').textContent()).toBe(`1 of ${ROWS} pairs`);
    await table.focus();
    await page.keyboard.press('Home');
    await page.waitForSelector('.audit-detail .stage img');
    expect(await axe(page)).toEqual([]);
    await page.click('text=Open in Attribute');
    await page.waitForSelector('.stage img[alt="ball.png"]');
    // The picture stands there a moment before its caption.
    await expect.poll(() => page.inputValue('#caption')).toBe(`caption number ${ROWS}`);
    // It is explained at once, and the model of scenes has no map for these words.
    await page.waitForSelector(`text=knows no word of "caption number ${ROWS}"`);
    expect(await page.isDisabled('button:has-text("PNG")')).toBe(true);
  });

  it('shows a comparison: ranks, intervals and pairs are those of the file', async () => {
    const analysis = analyse(await exampleResults({ pairs: 6, perFamily: 1 }), { resamples: 50, flips: 49 });
    const json = Buffer.concat([...resultsJson(analysis, await drawGallery(analysis.results))]);
    await page.click('nav >> text=Compare');
    // The page of before stays until this one is there.
    await page.locator('.compare input[type=file]').setInputFiles({ name: 'results.json', mimeType: 'application/json', buffer: json });
    await page.waitForSelector('.ranks tbody tr');
    const { tables, meanRank } = analysis.parts[0];
    const ranked = tables.filter(table => table.rows.some(row => row.rank !== undefined));
    const best = Object.entries(meanRank).sort((a, b) => a[1] - b[1])[0][0];
    const title = analysis.results.methods.find(method => method.name === best)!.title;
    expect(await page.locator('.ranks tbody tr').first().locator('th').textContent()).toBe(title);
    const cells = await page.locator('.ranks tbody tr').first().locator('td').allTextContents();
    expect(cells.slice(1)).toEqual(ranked.map(table => String(table.rows.find(row => row.method === best)?.rank ?? '–')));
    expect(await page.locator('.case').count()).toBe(analysis.results.parts[0].gallery.length);
    expect(await axe(page)).toEqual([]);
  });

  it('shows evaluations of two models side by side: every change of the matrix is that of the files', async () => {
    const runs = [exampleRun({ model: 'one' }).results, exampleRun({ model: 'other', seed: 5 }).results];
    await page.click('nav >> text=Robustness');
    const files = runs.map(results => ({ name: 'results.json', mimeType: 'application/json', buffer: Buffer.from(exactJson(results)) }));
    await page.locator('.robustness input[type=file]').setInputFiles(files);
    await page.waitForSelector('.matrix .model-name:has-text("other")');
    const sets = runs.flatMap(results => results.sets);
    const worst = runs.flatMap(results => results.worst);
    const titles = await page
      .locator('.matrix td[title]')
      .evaluateAll(cells => cells.map(cell => [cell.getAttribute('title'), cell.textContent]));
    const changes = sets.flatMap(set => set.scenarios.flatMap(scenario => (scenario.againstClean ? [scenario.againstClean] : [])));
    expect(titles.length).toBe(changes.length);
    const numbers = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
    const shown = titles.map(([, text]) => Number(text!.replace('−', '-').replace('†', '')));
    expect(numbers(shown)).toEqual(numbers(changes.map(({ difference }) => Number((100 * difference).toFixed(1)) + 0)));
    expect(await page.locator('.robustness .case').count()).toBe(worst.length);
    // One model's cell does not stand below the other's name.
    for (const [title] of titles) expect(title).toMatch(/^(one|other), /);
    expect(titles.filter(([title]) => title!.startsWith('one, ')).length).toBe(titles.length / 2);
    expect(await axe(page)).toEqual([]);
  });

  it('says what is no results.json', async () => {
    await page
      .locator('.robustness input[type=file]')
      .setInputFiles({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"a":1}') });
    await expect.poll(() => page.locator('.evidence [role=alert]').textContent()).toMatch(/other\.json/);
  });

  it('talks, and shows what each word of the answer needs of the picture', async () => {
    await page.click('nav >> text=Chat');
    await page.waitForSelector('.note:has-text("answers through its bottleneck")');
    await explainAnswer(page, 'describe the picture .', 'examples/studio/night.png');
    expect(await axe(page)).toEqual([]);
  });

  it('opens the model without a bottleneck beside it, and explains by it too', async () => {
    await page.click('button:has-text("Talk to scene-llava"):not([disabled])');
    await page.waitForSelector('.note:has-text("scene-llava has no bottleneck")');
    expect(await page.locator('.turn').count()).toBe(0);
    await page.fill('#question', 'is there a moon in the picture ?');
    await page.click('button.primary:has-text("Ask"):not([disabled])');
    await page.click('.turn.chosen button:has-text("Explain the answer"):not([disabled])');
    await page.waitForSelector('.turn.chosen .answer-words');
    expect(await page.locator('input[name=layer]').count()).toBe(0);
    await page.waitForSelector('.readout:has-text("The whole answer")');
  });

  it('says what comes and what is open of models; one that was closed for room is opened again when it is asked for', async () => {
    await page.click('nav >> text=Models');
    const tag = (name: string) => page.locator(`.model:has(h2:text-is("${name}")) .tag`).textContent();
    // Two stay open, and the chat took both places.
    await expect.poll(() => tag('scene-llava'), { timeout: PATIENCE }).toBe('open');
    expect([await tag('scene-llava-vittle'), await tag('scene-clip')]).toEqual(['open', 'dual-encoder']);
    expect(await axe(page)).toEqual([]);
    await page.click('nav >> text=Attribute');
    await page.fill('#caption', 'a basketball');
    await explain(page);
    await expect.poll(() => page.locator('.caption-map .word').allTextContents(), { timeout: PATIENCE }).toEqual(['a', 'basketball']);
    await page.click('nav >> text=Models');
    await expect.poll(() => tag('scene-clip'), { timeout: PATIENCE }).toBe('open');
  });

  it('has complained of nothing, and broken no policy', () => {
    expect(first.complaints).toEqual([]);
  });

  it('says in words that it has no token, or that the studio has ended', async () => {
    const stranger = await watch(browser, { url: `${studio.server.origin}/` });
    await stranger.page.waitForSelector('.trouble:has-text("no token")');
    await stranger.context.close();
  });
});
