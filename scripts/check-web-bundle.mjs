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
const DECODER = 'dist/web/image/decode-bytes.js';
/**
 * Most that a page may fetch, in KB packed by gzip: what stands at its start, with the modules that it loads for this; with `base` only what comes
 * on top of those.
 */
const BUDGETS = [
  { what: 'M2IB and CLIP', names: 'CLIPModel, M2IB, webRuntime', loads: ['dist/models/clip/model.js'], most: 97 },
  { what: 'the same from an address', names: 'decodeImage, loadModel, M2IB, webRuntime', loads: ['dist/models/clip/model.js'], most: 113 },
  { what: 'DICOM', names: 'decodeImage', base: [DECODER], loads: ['image/dicom/read-dicom.js', 'node_modules/dicom-parser/'], most: 16 },
  { what: 'its JPEG 2000', names: 'decodeImage', base: [DECODER], loads: ['/openjpegjs_decode.js'], most: 150 },
  { what: 'its JPEG-LS', names: 'decodeImage', base: [DECODER], loads: ['/charlsjs_decode.js'], most: 80 },
];
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

/** Bytes of what a page with these names fetches, packed: the entry, and what it loads for this, without what `base` has loaded before. */
async function measure({ names, base, loads }) {
  const { chunks } = await bundle(`export { ${names} } from ${JSON.stringify(from)};`);
  const byName = new Map(chunks.map(chunk => [chunk.fileName, chunk]));
  const reach = paths => {
    const found = new Set();
    const add = name => {
      const chunk = byName.get(name);
      if (!chunk || found.has(chunk)) return;
      found.add(chunk);
      chunk.imports.forEach(add);
    };
    for (const path of paths) {
      const own = chunks.filter(chunk => Object.keys(chunk.modules).some(id => id.includes(path)));
      if (own.length === 0) problems.push(`${names} loads no ${path}`);
      for (const { fileName } of own) add(fileName);
    }
    for (const chunk of chunks) if (chunk.isEntry) add(chunk.fileName);
    return found;
  };
  const before = base ? reach(base) : new Set();
  const needed = new Set([...reach(loads)].filter(chunk => !before.has(chunk)));
  if (process.argv.includes('--list'))
    for (const [id, { renderedLength }] of [...needed]
      .flatMap(({ modules }) => Object.entries(modules))
      .sort((a, b) => b[1].renderedLength - a[1].renderedLength))
      process.stdout.write(`${String(renderedLength).padStart(7)} ${id.replace(root, '')}\n`);
  return [...needed].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

const said = [];
for (const budget of BUDGETS) {
  const { what, names, most } = budget;
  const bytes = await measure(budget);
  said.push(`${what} ${(bytes / 1024).toFixed(1)} of ${most} KB`);
  if (bytes > most * 1024) problems.push(`${what} (${names}) take ${(bytes / 1024).toFixed(1)} KB in a page, packed; ${most} are the most`);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`check-web-bundle: ${said.join(', ')}, ${problems.length} problems\n`);
process.exit(problems.length > 0 ? 1 : 0);
