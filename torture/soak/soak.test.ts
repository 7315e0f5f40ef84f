/** The short form of `npm run torture -- soak`, and that a leak would be seen. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { judgeSamples, type Sample } from './measure.ts';
import { soak } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-torture-soak-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const samples = (megabytes: (i: number) => number, handles = (_: number) => 30, work = 3): Sample[] =>
  Array.from({ length: 20 }, (_, i) => ({ done: i + 1, megabytes: megabytes(i), handles: handles(i), work, collecting: work / 4 }));

it('a leak of memory or handles and a blocked loop are findings; warm-up and noise are none', () => {
  const noise = (i: number): number => 300 + (i < 4 ? -100 : 0) + (i % 3);
  expect(judgeSamples(samples(noise))).toMatchObject({ steps: 20, findings: [] });
  expect(judgeSamples(samples(i => 300 + 3 * i)).findings).toEqual([expect.stringMatching(/memory grew by 9.3 %, from 321 to 351 MB/)]);
  expect(judgeSamples(samples(noise, i => 30 + i)).findings).toEqual([expect.stringMatching(/handles grew from 3\d to 4\d/)]);
  expect(judgeSamples(samples(noise, () => 30, 80)).findings).toEqual([
    'the event loop was blocked for 80 ms of work, 20 of them collecting garbage',
  ]);
  expect(judgeSamples(samples(noise).slice(0, 5)).findings).toEqual(['only 4 samples']);
});

it('two hundred attributions leave no handles open', { timeout: 240_000 }, async () => {
  const [{ judged }] = await soak({ seed: 1, cases: 20, until: Date.now() + 200_000, output: root, only: 'attributions', say: () => {} });
  expect(judged.steps).toBe(200);
  expect(judged.findings.filter(text => text.includes('handles'))).toEqual([]);
  expect(judged.early).toBeGreaterThan(50);
  // Its event loop was looked at, where the scheduler tells.
  if (existsSync('/proc/self/schedstat')) expect(judged.work![1]).toBeGreaterThan(0);
});
