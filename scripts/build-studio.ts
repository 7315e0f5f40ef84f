/**
 * @file Builds the studio's page. Without a flag (part of `npm run build`): dist/studio/page, which `narrows studio` serves. With `--site`
 * (`npm run build:studio`): a static site in DIR (site by default) that runs wholly in the browser, with the shipped models.
 * `--models-from ORIGIN` (may be repeated) lets the site open models at addresses of another origin; its own and the hub it may ask always.
 * usage: node --import tsx scripts/build-studio.ts [--site [DIR]] [--models-from ORIGIN]
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildStudio } from './studio-build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: { site: { type: 'boolean' }, 'models-from': { type: 'string', multiple: true } },
  allowPositionals: true,
});
const site = values.site ?? false;
const origins = values['models-from'] ?? [];
const wrong = origins.find(origin => !URL.canParse(origin) || new URL(origin).origin !== origin);
if (wrong !== undefined || (origins.length > 0 && !site)) {
  process.stderr.write(
    wrong === undefined
      ? '--models-from is for a static site: add --site.\n'
      : `--models-from takes an origin such as https://models.example, without a path, and not "${wrong}".\n`,
  );
  process.exit(1);
}
const output = site ? resolve(positionals[0] ?? join(root, 'site')) : join(root, 'dist/studio/page');
if (site && existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, 'site.json'))) {
  process.stderr.write(`${output} holds other things than a studio's site; give an empty or new folder.\n`);
  process.exit(1);
}
await buildStudio({ output, site, origins });
if (site) process.stdout.write(`Wrote ${output}: upload it to any static host.\n`);
