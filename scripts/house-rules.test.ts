/** @file The rules on imports, exports and parameters, each held against a source that keeps it and one that breaks it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const load = async (name: string): Promise<unknown> => import(name);
const { longLists, parameterProblems } = (await load('./house-parameters.mjs')) as {
  longLists(path: string, text: string): [number, string, number][];
  parameterProblems(root: string, files: readonly string[]): string[];
};
const { importProblems } = (await load('./house-imports.mjs')) as {
  importProblems(root: string, path: string, text: string, isTest: (path: string) => boolean): string[];
};
const { exportProblems } = (await load('./house-exports.mjs')) as { exportProblems(root: string, path: string, text: string): string[] };

describe('parameters', () => {
  const counts = (text: string) => longLists('a.ts', text).map(([, name, count]) => `${name} ${count}`);
  const seven = 'a, b, c, d, e, f, g';
  const typed = 'a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1';

  it('are six at most, in functions of every kind', () => {
    expect(counts('function six(a, b, c, d, e, f) {}')).toEqual([]);
    expect(counts(`function f(${seven}) {}`)).toEqual(['f 7']);
    expect(counts(`const arrow = (${seven}) => 0;`)).toEqual(['arrow 7']);
    expect(counts(`const made = function (${seven}) {};`)).toEqual(['made 7']);
    expect(counts(`class A { constructor(${seven}) {} work(${seven}, h) {} }`)).toEqual(['constructor 7', 'work 8']);
    expect(counts(`const o = { work(${seven}) {} };`)).toEqual(['work 7']);
    expect(counts(`run((${seven}) => 0);`)).toEqual(['a function 7']);
  });

  it('are so in types too', () => {
    expect(counts(`interface A { work(${typed}): void }`)).toEqual(['work 7']);
    expect(counts(`type F = (${typed}) => void;`)).toEqual(['F 7']);
    expect(counts(`type F = new (${typed}) => object;`)).toEqual(['F 7']);
    expect(counts(`declare function f(${typed}): void;`)).toEqual(['f 7']);
    expect(counts(`abstract class A { abstract work(${typed}): void }`)).toEqual(['work 7']);
  });

  it('leave out `this`, count a pattern and a rest as one, and names of other things as none', () => {
    expect(counts('function f(this: object, a, b, c, d, e, f) {}')).toEqual([]);
    expect(counts('function f({ a, b, c, d, e, f, g, h }, [i, j, k], ...l) {}')).toEqual([]);
    expect(counts('function f(a, b, c, d, e, { f }, ...g) {}')).toEqual(['f 7']);
    expect(counts('call(a, b, c, d, e, f, g, h);')).toEqual([]);
  });

  it('are named by file and line', () => {
    const root = mkdtempSync(join(tmpdir(), 'narrows-rules-'));
    writeFileSync(join(root, 'a.ts'), `const x = 1;\n\nfunction f(${seven}) {}\n`);
    expect(parameterProblems(root, [join(root, 'a.ts')])).toEqual([
      'a.ts:3: f takes 7 parameters; 6 are the most, pass an object with named fields',
    ]);
    rmSync(root, { recursive: true });
  });
});

describe('imports', () => {
  const problems = (path: string, text: string) => importProblems('/house', `/house/src/${path}`, text, file => file.endsWith('.test.ts'));

  it('point down', () => {
    expect(problems('report/a.ts', "import { x } from '../graph/b.ts';")).toEqual([]);
    expect(problems('graph/a.ts', "const a = 1;\nimport { x } from '../report/b.ts';")).toEqual([
      'src/graph/a.ts:2: graph must not import from report (../report/b.ts)',
    ]);
    expect(problems('graph/ops/a.ts', "export * from '../../cli/b.ts';")).toHaveLength(1);
    expect(problems('graph/a.ts', "const b = await import('../models/b.ts');")).toHaveLength(1);
    expect(problems('graph/a.ts', "import type { B } from '../models/b.ts';")).toHaveLength(1);
    expect(problems('index.ts', "export { x } from './models/b.ts';")).toEqual([]);
    expect(problems('graph/a.ts', "import { x } from '../index.ts';")).toHaveLength(1);
  });

  it('do not go to a neighbour but where that is written down', () => {
    expect(problems('attribution/a.ts', "import { x } from '../tuning/b.ts';")).toHaveLength(1);
    expect(problems('models/a.ts', "import { x } from '../inputs/b.ts';")).toEqual([]);
    expect(problems('inputs/a.ts', "import { x } from '../models/b.ts';")).toHaveLength(1);
    expect(problems('models/clip/a.ts', "import { x } from '../llava/b.ts';")).toEqual([]);
  });

  it('of tests go anywhere, and only they use helpers for tests', () => {
    expect(problems('graph/a.test.ts', "import { x } from '../report/b.ts';\nimport { y } from '../testing/c.ts';")).toEqual([]);
    expect(problems('graph/a.ts', "import { y } from '../testing/c.ts';")[0]).toContain('only tests import from testing');
  });

  it('belong to a room of the map', () => {
    expect(problems('attic/a.ts', '')[0]).toContain('the folder src/attic stands on no floor');
  });
});

describe('exports', () => {
  const FILE = '/** @file What it is. */\n';
  const problems = (text: string) => exportProblems('/house', '/house/src/a.ts', text);

  it('have docstrings, once for overloads, and are found behind directives', () => {
    expect(problems(`${FILE}/** Doc. */\nexport const a = 1;\n`)).toEqual([]);
    expect(problems(`${FILE}/** Doc. */\n// biome-ignore lint/x: why\nexport const a = 1;\n`)).toEqual([]);
    expect(problems(`${FILE}/** Doc. */\nexport function f(a: 1): void;\nexport function f(a: 2): void;\n`)).toEqual([]);
    for (const kind of [
      'const a = 1',
      'function a() {}',
      'async function a() {}',
      'class a {}',
      'abstract class a {}',
      'type a = 1',
      'interface a {}',
    ])
      expect(problems(`${FILE}\nconst b = 1;\nexport ${kind};\n`)).toEqual(['src/a.ts:4: the export a has no docstring']);
  });

  it('do not take the header of their file for a docstring', () => {
    expect(problems(`${FILE}export const a = 1;\n`)).toEqual(['src/a.ts:2: the export a has no docstring']);
  });

  it('come from files that say what they are, and are never the default', () => {
    expect(problems('const a = 1;\n')).toEqual(['src/a.ts: does not begin with /** @file ... */']);
    expect(problems(`#!/usr/bin/env node\n${FILE}`)).toEqual([]);
    expect(problems(`${FILE}export default 3;\n`)).toEqual(['src/a.ts:2: a default export; give it a name']);
    expect(problems(`${FILE}const a = 1;\nexport { a as default };\n`)).toHaveLength(1);
  });
});
