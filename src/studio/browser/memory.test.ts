/** @file Memory of the page's models in Chromium: another model takes the place of the one before, whose worker ends and gives its memory back. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, browserHere, CLIP_FILES, type Session, startSession } from '../../web/testing/session.ts';
import type { StudioEvent } from '../protocol.ts';

const SLOW = 600_000;
const model = (id: string, more: object) => ({ id, name: id, origin: 'shipped', place: `/models/${id}/`, bytes: 1e7, ...more });
const MODELS = [model('scene-clip', { kind: 'dual-encoder', files: CLIP_FILES }), model('scene-llava-vittle', { kind: 'llava' })];

/** Resident bytes of the browser's pages and their workers, as Linux counts them. */
async function resident(session: Session): Promise<number> {
  const cdp = await session.browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  await cdp.detach();
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0));
  return sizes.reduce((a, b) => a + b, 0);
}

describe.skipIf(!browserHere)('models of a page', () => {
  let session: Session;
  beforeAll(async () => {
    session = await startSession();
  }, SLOW);
  afterAll(() => session?.close());

  const begin = async (memory: number): Promise<Page> => {
    const { page } = await session.open();
    await ask(page, 'studio', 'begin', { models: MODELS, memory });
    return page;
  };
  const open = async (page: Page, reference: string): Promise<readonly StudioEvent[]> =>
    (await ask<{ events: readonly StudioEvent[] }>(page, 'studio', 'stream', { name: 'open', argument: { reference } })).events;
  const listed = async (page: Page): Promise<readonly (readonly [string, boolean])[]> =>
    (await ask<readonly { id: string; open: boolean }[]>(page, 'studio', 'call', { name: 'models', argument: [] })).map(
      ({ id, open }) => [id, open] as const,
    );

  it(
    'stay where there is room for both',
    async () => {
      const page = await begin(1e9);
      const others = page.workers().length;
      for (const { id } of MODELS) expect((await open(page, id)).at(-1)).toMatchObject({ kind: 'done' });
      expect(await listed(page)).toEqual([
        ['scene-clip', true],
        ['scene-llava-vittle', true],
      ]);
      expect(page.workers().length - others).toBe(2);
      await page.close();
    },
    SLOW,
  );

  it(
    'give their memory back when another one takes their room',
    async () => {
      // Each is larger than the room: it stays all the same, alone.
      const page = await begin(1);
      // The tests' page has one of its own.
      const others = page.workers().length;
      const change = async (): Promise<void> => {
        for (const { id } of MODELS) expect((await open(page, id)).at(-1)).toMatchObject({ kind: 'done' });
        expect(await listed(page)).toEqual([
          ['scene-clip', false],
          ['scene-llava-vittle', true],
        ]);
        await expect.poll(() => page.workers().length - others, { timeout: 20_000 }).toBe(1);
      };
      await change();
      if (process.platform !== 'linux') return;
      const first = await resident(session);
      for (let i = 0; i < 4; i++) await change();
      // A worker with ONNX Runtime and a model takes more than this; eight have come and gone.
      const grown = (await resident(session)) - first;
      expect(grown).toBeLessThan(60e6);
    },
    SLOW,
  );
});
