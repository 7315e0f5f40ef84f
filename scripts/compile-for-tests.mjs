/**
 * @file Compiles what tests start as processes, once per test run: a start from the sources takes three times as long.
 * usage: node scripts/compile-for-tests.mjs FOLDER
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.argv[2];
/** The program, and what tests run as a child or a rank. */
const PROGRAMS = [
  'src/cli/main',
  'src/node/mpi/testing/collectives',
  'src/runtime/testing/device-child',
  'src/tuning/clip/testdata/train-and-crash',
  'src/tuning/clip/testing/placement-child',
  'src/tuning/llava/testing/train-and-crash',
  'src/tuning/parallel/testing/train-jobs',
  'torture/fuzz/worker',
  'torture/soak/child',
];
/** A module that is started as a thread, by its name beside the module that starts it (`spawnWorker`). */
const THREAD = /(?:Worker\(|module: )'([\w-]+)',\s*(?:base: )?import\.meta\.url/g;
const sources = readdirSync(join(root, 'src'), { recursive: true }).filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts'));
const threads = sources.flatMap(path =>
  Array.from(readFileSync(join(root, 'src', path), 'utf8').matchAll(THREAD), ([, name]) =>
    join('src', dirname(path), name).split(sep).join('/'),
  ),
);
const STARTED = [...PROGRAMS, ...new Set(threads)];

/** Where a module of `src` stands in the package: chunks are made of many, and each looks for files and threads from its own place. */
const places = {
  name: 'places',
  enforce: 'pre',
  transform: {
    filter: { code: 'import.meta.url', id: /\.tsx?$/ },
    handler(code, id) {
      const name = relative(join(root, 'src'), id);
      const place = name.startsWith('..') ? id : join(folder, 'dist', name.replace(/\.tsx?$/, '.js'));
      return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href)), map: null };
    },
  },
};

const missing = STARTED.filter(name => !existsSync(join(root, `${name}.ts`)));
if (missing.length > 0) {
  process.stderr.write(`scripts/compile-for-tests.mjs names ${missing.map(name => `${name}.ts`).join(', ')}, which is not there.\n`);
  process.exit(1);
}
const unfinished = `${folder}-${process.pid}`;
// The package's other files, where the compiled modules look for them.
mkdirSync(join(unfinished, 'dist/studio'), { recursive: true });
for (const name of readdirSync(root)) if (!/^(\..*|dist|src)$/.test(name)) symlinkSync(join(root, name), join(unfinished, name));
symlinkSync(join(root, 'dist/studio/page'), join(unfinished, 'dist/studio/page'));
await build({
  configFile: false,
  root,
  logLevel: 'warn',
  plugins: [places],
  build: {
    ssr: true,
    target: 'node20',
    outDir: join(unfinished, 'dist'),
    emptyOutDir: false,
    rolldownOptions: {
      input: Object.fromEntries(STARTED.map(name => [name.replace(/^src\//, ''), join(root, `${name}.ts`)])),
      // Packages stay packages; only what stands in for syntax that Node 20 lacks goes in.
      external: id => !id.startsWith('.') && !id.startsWith(sep) && !id.startsWith(root) && !id.startsWith('@oxc-project/'),
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
try {
  renameSync(unfinished, folder);
} catch {
  // Another process of the run was here first.
  rmSync(unfinished, { recursive: true, force: true });
}
