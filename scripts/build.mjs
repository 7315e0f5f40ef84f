/** @file `npm run build`: compiles src to dist from scratch and makes the command executable. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeVersion } from './write-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeVersion(root);

// What a file was once compiled to must not outlive the file.
rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
try {
  execFileSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit', cwd: root });
} catch {
  process.exit(1);
}
// The page of `narrows studio`, with its examples computed by what was just compiled from the same sources.
execFileSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/build-studio.ts')], { stdio: 'inherit', cwd: root });
// Every file that an entry of the package names was compiled: a new entry is a line of "exports" in package.json, and nothing else.
const targets = value => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
const missing = targets(manifest.exports).filter(path => !existsSync(join(root, path)));
if (missing.length > 0) {
  process.stderr.write(`package.json exports ${missing.join(', ')}, which the build did not make.\n`);
  process.exit(1);
}
for (const path of Object.values(manifest.bin)) {
  const file = join(root, path);
  if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    process.stderr.write(`${path} is missing or has no shebang.\n`);
    process.exit(1);
  }
  chmodSync(file, 0o755);
}

// What pages get of it: nothing of Node, and no more than the budget.
try {
  execFileSync(process.execPath, [join(root, 'scripts/check-web-bundle.mjs')], { stdio: 'inherit', cwd: root });
} catch {
  process.exit(1);
}
