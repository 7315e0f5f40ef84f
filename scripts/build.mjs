/** @file `npm run build`: compiles src to dist from scratch and makes the command executable. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
// Scripts beside test data are compiled with the rest, but nobody who installs the package needs them.
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  if (entry.isDirectory() && entry.name === 'testdata') rmSync(join(entry.parentPath, entry.name), { recursive: true });
}
for (const path of Object.values(manifest.bin)) {
  const file = join(root, path);
  if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    process.stderr.write(`${path} is missing or has no shebang.\n`);
    process.exit(1);
  }
  chmodSync(file, 0o755);
}
