/**
 * @file Builds the studio's page. Without a flag (part of `npm run build`): dist/studio/page, which `narrows studio` serves. With `--site`
 * (`npm run build:studio`): site/, which runs wholly in the browser and can lie on any static host.
 * usage: node --import tsx scripts/build-studio.ts [--site [DIR]]
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { writeExamples } from './studio-examples.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'dist/studio/page');

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
await build({
  configFile: false,
  root: join(root, 'src/studio/page'),
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: output, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
await writeExamples(join(output, 'examples'));
