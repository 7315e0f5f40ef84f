/**
 * @file What the bottleneck promises, measured on the shipped models: writes results.json, tables.md and the figure into a folder, and goes on
 * where it stopped. usage: node --import tsx scripts/bottleneck-promise.ts OUT [SCENES]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promiseFigure } from '../src/experiments/bottleneck-promise/figure.ts';
import { promiseMarkdown } from '../src/experiments/bottleneck-promise/report.ts';
import { measurePromise } from '../src/experiments/bottleneck-promise/run.ts';
import type { Sitting } from '../src/experiments/bottleneck-promise/sitting.ts';
import { makeDirectory, writeFileAtomic } from '../src/node/files.ts';
import { nodeRuntime } from '../src/runtime/node.ts';

const [output, given = '40'] = process.argv.slice(2);
if (output === undefined) throw new Error('usage: node --import tsx scripts/bottleneck-promise.ts OUT [SCENES]');
const scenes = Number(given);
const models = ['scene-llava-vittle', 'scene-llava'];
await makeDirectory(output);
const place = (model: string): string => join(output, `sitting-${model}.json`);
const sittings = new Map<string, Sitting>();
for (const model of models) {
  const text = await readFile(place(model), 'utf8').catch(() => undefined);
  const sitting = text === undefined ? undefined : (JSON.parse(text) as Sitting);
  if (sitting?.scenes === scenes) sittings.set(model, sitting);
}
const runtime = nodeRuntime();
const results = await measurePromise(runtime, {
  ...{ models, encoder: 'scene-llava', scenes, sittings },
  onStage: what => console.error(what),
  onSitting: sitting => writeFileAtomic(place(sitting.model), JSON.stringify(sitting)),
});
await runtime.release();
/** Six figures: more is noise, and takes room. */
const short = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
await writeFileAtomic(join(output, 'results.json'), `${JSON.stringify(results, short, 1)}\n`);
await writeFileAtomic(join(output, 'tables.md'), promiseMarkdown(results));
for (const shade of ['light', 'dark'] as const)
  await writeFileAtomic(join(output, `emi-${shade}.svg`), `${promiseFigure(results.chains, shade).svg}\n`);
