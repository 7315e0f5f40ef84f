/**
 * @file Builds the studio's page. Without a flag (part of `npm run build`): dist/studio/page, which `narrows studio` serves. With `--site`
 * (`npm run build:studio`): a static site in DIR (site by default) that runs wholly in the browser, with the shipped models.
 * usage: node --import tsx scripts/build-studio.ts [--site [DIR]]
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStudio } from './studio-build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = process.argv.indexOf('--site');
const site = at >= 0;
const output = site ? resolve(process.argv[at + 1] ?? join(root, 'site')) : join(root, 'dist/studio/page');
if (site && existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, 'site.json'))) {
  process.stderr.write(`${output} holds other things than a studio's site; give an empty or new folder.\n`);
  process.exit(1);
}
await buildStudio({ output, site });
if (site) process.stdout.write(`Wrote ${output}: upload it to any static host.\n`);
