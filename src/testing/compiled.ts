/** @file Tests start programs as they will run: compiled, once per test run and when the first of them asks. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** tsx, for Node's `--import`. */
export const tsxLoader: string = new URL('dist/loader.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;

/** What Node starts. */
export interface Started {
  /** Options of Node that it needs. */
  readonly execArgv: readonly string[];
  readonly file: string;
}

/** Where a module (an absolute path that ends in `.ts`) stands compiled in this test run; undefined outside of one. */
export function compiledFile(path: string): string | undefined {
  const folder = process.env.NARROWS_COMPILED;
  if (!folder) return undefined;
  // Several processes may come here at once: each compiles beside the place, and the first is kept.
  if (!existsSync(folder)) execFileSync(process.execPath, [join(root, 'scripts/compile-for-tests.mjs'), folder], { stdio: 'inherit' });
  const name = relative(root, path).split(sep).join('/').replace(/\.ts$/, '');
  const file = join(folder, 'dist', `${name.replace(/^src\//, '')}.js`);
  if (!existsSync(file)) throw new Error(`scripts/compile-for-tests.mjs does not see that ${name} is started: name it there.`);
  return file;
}

/**
 * A module (an absolute path that ends in `.ts`) as something that Node starts: compiled in a test run, and from the sources outside of one.
 * A start from the sources takes three times as long.
 * @throws Error for a module that scripts/compile-for-tests.mjs does not know as one that is started
 */
export function startOf(path: string): Started {
  const file = compiledFile(path);
  return file === undefined ? { execArgv: ['--import', tsxLoader], file: path } : { execArgv: [], file };
}

/** Node's arguments that start a module, as `startOf`. */
export const started = (path: string): string[] => {
  const { execArgv, file } = startOf(path);
  return [...execArgv, file];
};
