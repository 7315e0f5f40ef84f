/**
 * @file Builds the studio's page. Without a flag (part of `npm run build`): dist/studio/page, which `narrows studio` serves. With `--site`
 * (`npm run build:studio`): a static site in DIR (site by default) that runs wholly in the browser, with the shipped models.
 * usage: node --import tsx scripts/build-studio.ts [--site [DIR]]
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { writeFileAtomic } from '../src/node/files.ts';
import { contentPolicy } from '../src/studio/policy.ts';
import { sha256Hex } from '../src/system/sha256.ts';
import { writeExamples } from './studio-examples.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where models of the hub come from, redirects included; the site's policy admits no other place. */
const HUB = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co'];

/** The shipped models that the site brings. */
const MODELS = [
  { id: 'scene-clip', kind: 'dual-encoder' },
  { id: 'scene-llava-vittle', kind: 'llava', bottleneck: true },
] as const;

/** A static host sends no policy, so the page carries it; and it has its backend in itself. */
const sitePage: Plugin = {
  name: 'narrows-site',
  transformIndexHtml: {
    order: 'pre',
    handler: html =>
      html
        .replace(
          '<meta charset="utf-8">',
          `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${contentPolicy(HUB)}">`,
        )
        .replace('./main.tsx', './browser.tsx'),
  },
};

/** Copies a model, and says what the page must know of it. */
async function copyModel(folder: string, { id, ...facts }: (typeof MODELS)[number]): Promise<object> {
  const from = join(root, 'models', id);
  const files = readdirSync(from).filter(name => !name.endsWith('.md') && statSync(join(from, name)).isFile());
  const sha256: Record<string, string> = {};
  let bytes = 0;
  mkdirSync(join(folder, 'models', id), { recursive: true });
  for (const file of files) {
    cpSync(join(from, file), join(folder, 'models', id, file));
    const content = new Uint8Array(readFileSync(join(from, file)));
    sha256[file] = sha256Hex(content);
    bytes += content.length;
  }
  return { id, name: id, origin: 'shipped', ...facts, folder: `models/${id}/`, files, sha256, bytes };
}

const at = process.argv.indexOf('--site');
const site = at >= 0;
const output = site ? resolve(process.argv[at + 1] ?? join(root, 'site')) : join(root, 'dist/studio/page');
if (site && existsSync(output) && readdirSync(output).length > 0 && !existsSync(join(output, 'site.json'))) {
  process.stderr.write(`${output} holds other things than a studio's site; give an empty or new folder.\n`);
  process.exit(1);
}
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
await build({
  configFile: false,
  root: join(root, 'src/studio/page'),
  base: './',
  logLevel: 'error',
  plugins: site ? [sitePage] : [],
  worker: { format: 'es' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: output, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
await writeExamples(join(output, 'examples'));
if (site) {
  // The site runs on the processor: what WebGPU would need is never asked for.
  for (const name of readdirSync(join(output, 'assets'))) if (/jspi/.test(name)) rmSync(join(output, 'assets', name));
  const models = [];
  for (const model of MODELS) models.push(await copyModel(output, model));
  await writeFileAtomic(join(output, 'site.json'), JSON.stringify({ models, hub: true }));
  process.stdout.write(`Wrote ${output}: upload it to any static host.\n`);
}
