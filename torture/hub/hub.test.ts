/** Every fault of a hub, the short form of `npm run torture -- hub`, and that its findings would be found. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { FAULTS, FaultyHub } from './faults.ts';
import { hubCase, tortureHub } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-torture-hub-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('every fault at the first request, and many at random, end in right bytes or a sentence', { timeout: 240_000 }, async () => {
  const said: string[] = [];
  const options = { seed: 3, until: Date.now() + 200_000, output: root, say: (text: string) => said.push(text) };
  const entries = await tortureHub({ ...options, cases: Object.keys(FAULTS).length });
  expect(said).toEqual([]);
  expect(entries.filter(({ end }) => end === 'whole').length).toBeGreaterThan(5);
  expect(entries.filter(({ end }) => end !== 'whole').length).toBeGreaterThan(5);
});

it('a fault of files, at each request for one, leaves nothing behind that a clean download would believe', {
  timeout: 240_000,
}, async () => {
  await using hub = await FaultyHub.start();
  for (const fault of [
    'one byte wrong',
    'another file of the same length (the ETag changed)',
    'redirect to another host',
    'names that climb out',
  ]) {
    const { findings, end } = await hubCase(hub, root, Array<string>(20).fill(fault));
    expect([fault, findings]).toEqual([fault, []]);
    if (fault.startsWith('one') || fault.startsWith('another')) expect(end).toMatch(/arrived damaged/);
  }
  // The stranger was asked, without the token; the hub with it: else the check sees nothing.
  hub.plan = [];
  await hubCase(hub, root, ['redirect to another host']);
  expect(hub.seen.some(({ host, authorization }) => host === 'stranger' && authorization === undefined)).toBe(true);
  expect(hub.seen.some(({ host, authorization }) => host === 'hub' && authorization !== undefined)).toBe(true);
});
