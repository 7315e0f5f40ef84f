/** @file examples/import-map, driven in Chromium on what `npm run build` made; without that it is left out. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { launch } from './testing/chromium.ts';
import { serve } from './testing/serve.ts';
import { browserHere } from './testing/session.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const SLOW = 600_000;

it.skipIf(!browserHere || !existsSync(join(repository, 'dist/entries/web.js')))(
  'the example without a build shows its figure',
  async () => {
    const server = await serve([
      ['/node_modules/narrows/', repository],
      ['/node_modules/', join(repository, 'node_modules')],
      ['/', join(repository, 'examples/import-map')],
    ]);
    const browser = await launch();
    try {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('pageerror', error => said.push(error.message));
      await page.goto(server.url);
      await page.locator('svg').first().waitFor({ timeout: SLOW, state: 'attached' });
      expect(await page.getByRole('status').textContent()).toMatch(/^a \d+\.\d, cat \d+\.\d, and \d+\.\d, an \d+\.\d, umbrella \d+\.\d$/);
      expect(said).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  },
  SLOW,
);
