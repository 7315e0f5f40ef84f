/** @file examples/vite, built as a reader builds it and driven in Chromium. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { launch } from './testing/chromium.ts';
import { serve } from './testing/serve.ts';
import { browserHere } from './testing/session.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const SLOW = 600_000;

it.skipIf(!browserHere)(
  'the example for Vite explains a picture that a person chose',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-vite-'));
    await build({
      root: join(repository, 'examples/vite'),
      logLevel: 'error',
      resolve: {
        alias: [
          { find: 'narrows/web/worker', replacement: join(repository, 'src/entries/web-worker.ts') },
          { find: 'narrows/web', replacement: join(repository, 'src/entries/web.ts') },
        ],
      },
      build: { outDir: folder, emptyOutDir: true },
    });
    const server = await serve([
      ['/models/', join(repository, 'models')],
      ['/', folder],
    ]);
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('pageerror', error => said.push(error.message));
      await page.goto(server.url);
      const status = page.getByRole('status');
      await expect.poll(() => status.textContent(), { timeout: SLOW }).toBe('Choose a picture');
      await page.getByLabel('Picture').setInputFiles(join(repository, 'examples/scene.png'));
      await page.getByRole('button', { name: 'Explain' }).click();
      await page.locator('#figure img').waitFor({ timeout: SLOW });
      expect(await status.textContent()).toMatch(/^a \d+\.\d, cat \d+\.\d, and \d+\.\d, an \d+\.\d, umbrella \d+\.\d \(nats\)$/);
      expect(said).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    }
  },
  SLOW,
);
