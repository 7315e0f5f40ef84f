/**
 * @file What `narrows/web` becomes in a page, built as a user's bundler builds it from `dist`: nothing of Node in it, and M2IB on a CLIP within
 * its budget (ONNX Runtime aside, which comes as files of its own). Part of `npm run build`.
 * usage: node scripts/check-web-bundle.mjs
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Most that a page may fetch, in KB packed by gzip. */
const BUDGETS = [
  { what: 'M2IB and CLIP', names: 'CLIPModel, M2IB, webRuntime', most: 100 },
  { what: 'the same from an address', names: 'decodeImage, loadModel, M2IB, webRuntime', most: 115 },
];
/** Modules that are fetched once a CLIP is loaded, behind a dynamic import. */
const LOADED = ['dist/models/clip/model.js'];
/** What no page has. */
const FOREIGN = /^(node:|sharp$|onnxruntime-node$)/;

/** Chunks of a page that uses so much of the entry, and modules in it that only Node has. */
async function bundle(code) {
  const folder = mkdtempSync(join(tmpdir(), 'narrows-bundle-'));
  const entry = join(folder, 'page.js');
  writeFileSync(entry, code);
  const foreign = new Set();
  try {
    const { output } = await build({
      configFile: false,
      root,
      logLevel: 'silent',
      plugins: [
        {
          name: 'foreign',
          enforce: 'pre',
          resolveId(id, importer) {
            if (FOREIGN.test(id)) foreign.add(`${importer?.replace(root, '')} imports ${id}`);
            return undefined;
          },
        },
      ],
      build: {
        write: false,
        target: 'es2022',
        modulePreload: false,
        rolldownOptions: { input: entry, preserveEntrySignatures: 'strict', external: [/^onnxruntime-web/] },
      },
    });
    return { chunks: output.filter(part => part.type === 'chunk'), foreign: [...foreign] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const from = join(root, 'dist/entries/web.js').replaceAll('\\', '/');
const all = await bundle(`export * from ${JSON.stringify(from)};`);
const worker = await bundle(`import ${JSON.stringify(join(root, 'dist/entries/web-worker.js'))};`);
const problems = [...all.foreign, ...worker.foreign].map(chain => `narrows/web reaches Node: ${chain}`);
if (worker.chunks.every(({ code }) => !/onmessage/.test(code))) problems.push('narrows/web/worker: its only effect was shaken off');

/** Bytes of what a page with these names fetches, packed: the entry, and what is loaded once a CLIP is opened. */
async function measure(names) {
  const { chunks } = await bundle(`export { ${names} } from ${JSON.stringify(from)};`);
  const byName = new Map(chunks.map(chunk => [chunk.fileName, chunk]));
  const needed = new Set();
  const add = name => {
    const chunk = byName.get(name);
    if (!chunk || needed.has(chunk)) return;
    needed.add(chunk);
    chunk.imports.forEach(add);
  };
  for (const chunk of chunks)
    if (chunk.isEntry || Object.keys(chunk.modules).some(id => LOADED.some(path => id.endsWith(path)))) add(chunk.fileName);
  if (process.argv.includes('--list'))
    for (const [id, { renderedLength }] of [...needed]
      .flatMap(({ modules }) => Object.entries(modules))
      .sort((a, b) => b[1].renderedLength - a[1].renderedLength))
      process.stdout.write(`${String(renderedLength).padStart(7)} ${id.replace(root, '')}\n`);
  return [...needed].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

const said = [];
for (const { what, names, most } of BUDGETS) {
  const bytes = await measure(names);
  said.push(`${what} ${(bytes / 1024).toFixed(1)} of ${most} KB`);
  if (bytes > most * 1024) problems.push(`${what} (${names}) take ${(bytes / 1024).toFixed(1)} KB in a page, packed; ${most} are the most`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`check-web-bundle: ${said.join(', ')}, ${problems.length} problems\n`);
process.exit(problems.length > 0 ? 1 : 0);
