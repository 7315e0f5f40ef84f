/**
 * @file The package as those get it who install it: packed, unpacked beside its dependencies, every entry imported; the code of README, docs
 * and docstrings compiled under `strict` against its types (without `skipLibCheck`, without `@types/node`), the docstrings' examples run.
 * Needs `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'narrows-package-'));
const run = (command, args, cwd = work) => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Unpacks the tarball into a project whose node_modules holds the package and links to its dependencies. */
function install() {
  const [{ filename, unpackedSize }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], root));
  const modules = join(work, 'node_modules');
  mkdirSync(modules);
  run('tar', ['-xzf', join(work, filename), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'narrows')]);
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }');
  cpSync(join(root, 'examples'), join(work, 'examples'), { recursive: true });
  return unpackedSize;
}

/** Which entry exports a name. */
async function exportsOf() {
  const found = new Map();
  for (const key of Object.keys(manifest.exports)) {
    if (key.endsWith('.json')) continue;
    const name = `narrows${key.slice(1)}`;
    const file = join(work, 'node_modules/narrows', manifest.exports[key].default);
    for (const each of Object.keys(await import(pathToFileURL(file).href))) if (!found.has(each)) found.set(each, name);
  }
  return found;
}

/** Examples of docstrings, with the imports that they use in front. */
function docstringExamples(known) {
  const examples = [];
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/(?<!\.test)\.ts$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    for (const [, body] of readFileSync(path, 'utf8').matchAll(/ \* @example\n([\s\S]*?)\n \*\//g)) {
      const code = body.replace(/^ \* ?/gm, '');
      const used = [...new Set(code.match(/\b[A-Za-z]\w*/g))].filter(
        name => known.has(name) && !new RegExp(`(?:const|let) (?:${name}\\b|\\{[^}]*\\b${name}\\b[^}:]*\\})`).test(code),
      );
      const imports = used.map(name => `import { ${name} } from '${known.get(name)}';`);
      examples.push({ from: relative(root, path), code: `${imports.join('\n')}\n${code}\n`, run: true });
    }
  }
  return examples;
}

/** Blocks of TypeScript in README and docs that import the package. */
function pageExamples() {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter(f => f.endsWith('.md'))
      .map(f => `docs/${f}`),
  ];
  return pages.flatMap(page =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)]
      .filter(([, code]) => code.includes("from 'narrows"))
      .map(([, code]) => ({ from: page, code, run: false })),
  );
}

try {
  const size = install();
  const known = await exportsOf();
  const examples = [...docstringExamples(known), ...pageExamples()];
  const files = examples.map(({ from, code }, i) => {
    const name = `example-${i}-${basename(from).replace(/\W/g, '-')}.ts`;
    // What a page leaves to its reader: a signal, and Node's own names.
    const open = from.endsWith('.md')
      ? 'declare const signal: AbortSignal;\ndeclare const process: { stdout: { write(text: string): void } };\n'
      : '';
    writeFileSync(join(work, name), `${open}${code}\nexport {};\n`);
    return name;
  });
  for (const key of Object.keys(manifest.exports).filter(k => !k.endsWith('.json')))
    writeFileSync(join(work, `all${key.slice(1).replaceAll('/', '-')}.ts`), `export * from 'narrows${key.slice(1)}';\n`);
  for (const [resolution, module] of [
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ]) {
    const options = {
      target: 'es2022',
      lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
      module,
      moduleResolution: resolution,
    };
    const strict = { strict: true, skipLibCheck: false, types: [], outDir: 'out', noUncheckedIndexedAccess: false };
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, ...strict }, include: ['*.ts'] }));
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']);
  }
  for (const [i, { from, run: wanted }] of examples.entries()) {
    if (!wanted) continue;
    try {
      run(process.execPath, [join('out', files[i].replace(/ts$/, 'js'))]);
    } catch {
      throw new Error(`The example in ${from} fails.`);
    }
  }
  process.stdout.write(
    `check-package: ${(size / 2 ** 20).toFixed(1)} MB unpacked, ${known.size} exports of ${Object.keys(manifest.exports).length - 1} entries, ${examples.length} examples compiled, ${examples.filter(e => e.run).length} run\n`,
  );
} catch (error) {
  if (error.stdout) process.stderr.write(error.stdout);
  process.stderr.write(`check-package: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
