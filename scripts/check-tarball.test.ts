import { describe, expect, it } from 'vitest';
import { linksOf, packageProblems } from './check-tarball.ts';

const MANIFEST = JSON.stringify({
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  bin: { narrows: 'dist/cli.js' },
});

/** A package of these files, and a good manifest. */
const problems = (files: Record<string, string>): string[] => {
  const all: Record<string, string> = { 'package.json': MANIFEST, 'dist/index.d.ts': '', 'dist/index.js': '', 'dist/cli.js': '', ...files };
  return packageProblems(Object.keys(all), path => all[path]);
};

describe('what the packed package may not do', () => {
  it('finds links of texts, and none in code', () => {
    const text =
      'See [a](docs/a.md#part), ![b](b.png "title"), [c](https://example.org/x.md), [d](#here), <img src="e.png">.\n`[f](f.md)`\n```\n[g](g.md)\n```';
    expect(linksOf(text)).toEqual(['docs/a.md', 'b.png', 'e.png']);
  });

  it('is content with links to files and folders that are packed', () => {
    const files = { 'README.md': '[a](docs/a.md) [examples](examples/)', 'docs/a.md': '[up](../README.md)', 'examples/x.json': '{}' };
    expect(problems({ ...files, 'dist/help.js': 'see docs/a.md' })).toEqual([]);
  });

  it('names links, pages, entries and test helpers that are amiss', () => {
    expect(problems({ 'docs/a.md': '[b](b.md)' })).toEqual(['docs/a.md links to b.md, which is not in the package.']);
    expect(problems({ 'dist/help.js': "'docs/verify.md says'" })).toEqual([
      'dist/help.js names docs/verify.md, which is not in the package.',
    ]);
    expect(problems({ 'dist/models/testing/goldens.js': '' })).toEqual(['dist/models/testing/goldens.js is for tests only.']);
    expect(problems({ 'dist/scenes/testdata/x.json': '', 'dist/a.test.js': '' })).toHaveLength(2);
    const manifest = { ...JSON.parse(MANIFEST), exports: { './graph': './dist/graph.js' } };
    expect(problems({ 'package.json': JSON.stringify(manifest) })).toEqual([
      'package.json names ./dist/graph.js, which is not in the package.',
    ]);
  });
});
