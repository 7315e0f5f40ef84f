/** @file The rules on chains of imports, held against small trees that break each of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';

const script: string = './house-seam.mjs';
const { seamProblems } = (await import(script)) as {
  seamProblems(root: string, files: readonly string[], isTest: (path: string) => boolean): string[];
};

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** What is wrong with a tree of sources, by path below `src`. */
function problems(tree: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'narrows-house-'));
  roots.push(root);
  const files = Object.entries(tree).map(([name, text]) => {
    const path = join(root, 'src', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
  return seamProblems(root, files, path => path.endsWith('.test.ts'));
}

it('keeps Node and its native packages in src/node, the command line and tests', () => {
  const uses = "import { join } from 'node:path';\nimport sharp from 'sharp';\n";
  expect(problems({ 'node/paths.ts': uses, 'cli/main.ts': uses, 'graph/a.test.ts': uses })).toEqual([]);
  expect(problems({ 'tuning/a.ts': uses })).toHaveLength(2);
  expect(problems({ 'tuning/a.ts': "const fs = await import('node:fs');" })[0]).toContain('imports node:fs');
  expect(problems({ 'tuning/a.ts': "// import x from 'node:fs';\n/* import('sharp') */\n" })).toEqual([]);
});

it('prints the chain by which a core module reaches Node, whoever stands between', () => {
  const tree = {
    'graph/a.ts': "import { b } from '../scenes/b.ts';",
    'scenes/b.ts': "export { c } from './c.ts';",
    'scenes/c.ts': "const x = import('../node/files.ts');",
    'node/files.ts': '',
  };
  expect(problems(tree)).toEqual([expect.stringContaining('graph/a.ts -> scenes/b.ts -> scenes/c.ts -> node/files.ts')]);
  expect(
    problems({ ...tree, 'scenes/c.ts': "import type { X } from '../node/files.ts';\ntype Y = typeof import('../node/files.ts');" }),
  ).toEqual([]);
});

it('finds what Node gives without an import', () => {
  expect(problems({ 'graph/a.ts': 'Buffer.from([1]);' })[0]).toContain('uses Buffer.');
  expect(problems({ 'nn/a.ts': 'const x = process.env.HOME;' })[0]).toContain('uses process.');
  expect(problems({ 'nn/a.ts': 'const x = new URL("x", import.meta.url);' })[0]).toContain('import.meta');
  expect(problems({ 'nn/a.ts': 'image.process(pixels); // Buffer.from' })).toEqual([]);
});

it('finds circles, of types too, but for the ops', () => {
  const circle = {
    'a.ts': "import { b } from './b.ts';",
    'b.ts': "import type { C } from './c.ts';",
    'c.ts': "const a = await import('./a.ts');",
  };
  expect(problems(circle)).toEqual([expect.stringContaining('a.ts -> b.ts -> c.ts -> a.ts')]);
  expect(problems({ ...circle, 'c.ts': '' })).toEqual([]);
  expect(problems({ 'graph/ops/a.ts': "import './b.ts';", 'graph/ops/b.ts': "import './a.ts';" })).toEqual([]);
});
