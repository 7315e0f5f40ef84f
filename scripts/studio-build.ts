/** @file Bundles the studio's page, for `narrows studio` or as a static site that has its backend, models and examples in itself. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
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
const sitePage = (origins: readonly string[]): Plugin => ({
  name: 'narrows-site',
  transformIndexHtml: {
    order: 'pre',
    handler: html =>
      html
        .replace(
          '<meta charset="utf-8">',
          `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${contentPolicy([...HUB, ...origins])}">`,
        )
        .replace('./main.tsx', './browser.tsx'),
  },
});

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

/** What is built. */
export interface StudioBuild {
  /** Emptied first. */
  readonly output: string;
  /** With the backend in the page, the shipped models beside it. */
  readonly site: boolean;
  /** Of a site: further origins from which models may come, such as `https://models.example`. */
  readonly origins?: readonly string[];
}

/** Writes the page into a folder. */
export async function buildStudio({ output, site, origins = [] }: StudioBuild): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await build({
    configFile: false,
    root: join(root, 'src/studio/page'),
    base: './',
    logLevel: 'error',
    plugins: site ? [sitePage(origins)] : [],
    worker: { format: 'es' },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: output, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  await writeExamples(join(output, 'examples'));
  if (!site) return;
  // The site runs on the processor: what WebGPU would need is never asked for.
  for (const name of readdirSync(join(output, 'assets'))) if (/jspi/.test(name)) rmSync(join(output, 'assets', name));
  const models = [];
  for (const model of MODELS) models.push(await copyModel(output, model));
  await writeFileAtomic(join(output, 'site.json'), JSON.stringify({ models, hub: true, origins }));
}
