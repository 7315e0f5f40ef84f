/** @file What is said of pictures and captions reaches the results and every page of a comparison. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runComparison } from '../../evaluation/compare/comparison.ts';
import { openSource } from '../../evaluation/compare/data/open.ts';
import { loadModel } from '../../evaluation/compare/engine/load-model.ts';
import type { Choice, CompareSpec } from '../../evaluation/compare/settings.ts';
import { assembleResults } from './assemble.ts';
import { resultsFromJson } from './json.ts';
import { writeReport } from './write-report.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-warnings-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
const plain = (name: string): Choice => ({ label: name, name, options: {} });

it('a picture of one colour and a word that the vocabulary lacks', async () => {
  const flat = { width: 40, height: 30, channels: 3, background: { r: 90, g: 90, b: 90 } } as const;
  await sharp({ create: flat }).png().toFile(join(directory, 'flat<1>.png'));
  const file = join(directory, 'pairs.jsonl');
  await writeFile(file, `${JSON.stringify({ image: 'flat<1>.png', text: 'a cat and a zyzzyva' })}\n`);
  const data: CompareSpec['data'] = { kind: 'jsonl', file, modalities: ['image'], seed: 0 };
  const source = await openSource(data);
  const model = await loadModel('scene-clip');
  const methods = ['legrad', 'uniform'].map(plain);
  const spec = { model: 'scene-clip', methods, metrics: [plain('entropy')], data, seed: 0, seeds: 1, robustnessSamples: 1 };
  const whole: CompareSpec = { ...spec, robustnessPasses: 300, directory };
  await runComparison(whole, source, model, { workers: 0 });
  const results = await assembleResults(whole, source, model, { reference: 'legrad' });
  await model.release();
  expect(results.warnings).toHaveLength(2);
  expect(results.warnings![0]).toMatch(/^Image flat<1>\.png: .*one colour/);
  expect(results.warnings![1]).toMatch(/vocabulary lacks "zyzzyva"/);
  await writeReport(results, directory);
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  expect((await resultsFromJson(await read('results.json'))).warnings).toEqual(results.warnings);
  const page = await read('report.html');
  expect(page).toContain('<ul class="warnings" aria-label="Warnings"><li>Image flat&lt;1&gt;.png: ');
  expect(page).toContain('zyzzyva&quot; of');
  expect(await read('tables.md')).toMatch(/## Warnings\n\n- Image flat&lt;1&gt;\.png: /);
}, 240_000);
