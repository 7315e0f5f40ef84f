/** @file `narrows attribute` on the shipped example with the shipped model, from nothing to the written picture. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bundledDirectory, DEFAULT_MODEL } from '../../src/models/bundled.ts';
import { exists, inRepository } from '../models.ts';
import { runNode } from '../process.ts';
import { interleave } from '../rounds.ts';
import { type Context, type Suite, type SuiteResult, skipped } from '../suite.ts';

async function run(context: Context): Promise<SuiteResult> {
  const main = inRepository('dist', 'cli', 'main.js');
  if (!(await exists(main))) return skipped('dist is missing; run: npm run build');
  if (!(await exists(join(bundledDirectory(), DEFAULT_MODEL, 'config.json')))) return skipped(`models/${DEFAULT_MODEL} is missing`);
  if (!(await exists(inRepository('examples', 'scene.png')))) return skipped('examples/scene.png is missing');
  const directory = await context.scratch();
  const output = join(directory, 'map.png');
  const ends: number[] = [];
  const side = {
    name: 'ours',
    async run(round: number) {
      await rm(output, { force: true });
      const { startedAt, seconds } = await runNode([main, 'attribute', '--output', output], directory);
      if (round >= 0) ends.push(seconds);
      // The file is renamed into place when it is whole; its time of writing is the moment that counts.
      return ((await stat(output)).mtimeMs - startedAt) / 1000;
    },
  };
  const { ours: values } = await interleave([side], context);
  const note = `The process ends after ${Math.min(...ends).toFixed(2)}–${Math.max(...ends).toFixed(2)} s. Cold means a new process; the files are in the page cache.`;
  return { rows: [{ name: 'to the written picture', unit: 's', values, aims: [{ atMost: 2 }], notes: [note] }] };
}

/** See the file's head. */
export const coldStart: Suite = {
  name: 'cold-start',
  about: '`narrows attribute` (image and text map, PNG) with the shipped model in a new process.',
  run,
};
