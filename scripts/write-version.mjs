/** @file `npm version` and `npm run build`: writes package.json's version into src/system/version.ts, which the library imports. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What src/system/version.ts says, and what it should say. @param root the package's directory */
export function versionSource(root) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const before = readFileSync(join(root, 'src', 'system', 'version.ts'), 'utf8');
  return { version, before, after: before.replace(/version = '[^']*'/, `version = '${version}'`) };
}

/** Writes the version where it differs. @param root the package's directory */
export function writeVersion(root) {
  const { before, after } = versionSource(root);
  if (after !== before) writeFileSync(join(root, 'src', 'system', 'version.ts'), after);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeVersion(fileURLToPath(new URL('..', import.meta.url)));
