import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { methods } from '../src/attribution/registry.ts';
import { metrics } from '../src/evaluation/metrics/registry.ts';
import { benchmarksPage } from './benchmarks-page.ts';
import { methodsPage, metricsPage, shiftsPage } from './pages.ts';
import { scorersPage } from './scorers-page.ts';

it.each([
  ['methods', methodsPage],
  ['metrics', metricsPage],
  ['shifts', shiftsPage],
  ['benchmarks', benchmarksPage],
  ['scorers', scorersPage],
] as const)('docs/%s.md is what `npm run docs` makes', async (name, page) => {
  expect(page()).toBe(await readFile(new URL(`../docs/${name}.md`, import.meta.url), 'utf8'));
});

it('every entry is described and every option has a line of help', () => {
  for (const entry of [...methods, ...metrics]) {
    expect(entry.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const [key, field] of Object.entries(entry.schema.shape))
      expect((field as { description?: string }).description, `${entry.name}: ${key}`).toBeTruthy();
  }
  for (const list of [methods, metrics]) expect(new Set(list.map(e => e.name)).size).toBe(list.length);
});
