/** @file A bundler leaves out what a module imports for its effect alone, unless package.json says that it has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const { sideEffects } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { sideEffects: string[] };

it('stands in package.json, as a source and as built', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(path => path.split(sep).join('/'));
  const found = files
    .filter(path => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .flatMap(path =>
      Array.from(readFileSync(join(root, 'src', path), 'utf8').matchAll(/^import '(\.[^']*\.tsx?)';/gm), ([, target]) =>
        posix.join(posix.dirname(path), target),
      ),
    );
  expect(found).toContain('node/time-limit.ts');
  const wanted = found.flatMap(path => [`./src/${path}`, `./dist/${path.replace(/\.tsx?$/, '.js')}`]);
  expect(wanted.filter(path => !sideEffects.includes(path))).toEqual([]);
});
