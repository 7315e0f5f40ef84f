/** @file Which sources a file stands on, for choosing the tests that an error can reach. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const direct = new Map<string, readonly string[]>();

/** Every relative `.ts` path that a file names: imports, and workers that are started by their path. */
function named(root: string, file: string): readonly string[] {
  const known = direct.get(file);
  if (known) return known;
  const code = readFileSync(join(root, file), 'utf8');
  const paths = [...code.matchAll(/'(\.{1,2}\/[^'\n]+\.ts)'/g)]
    .map(([, path]) => relative(root, join(root, dirname(file), path)))
    .filter(path => existsSync(join(root, path)));
  direct.set(file, paths);
  return paths;
}

/** A file and all that it imports, directly or not, by paths from the root. */
export function reachable(root: string, file: string): Set<string> {
  const seen = new Set([file]);
  for (const each of seen) for (const path of named(root, each)) seen.add(path);
  return seen;
}
