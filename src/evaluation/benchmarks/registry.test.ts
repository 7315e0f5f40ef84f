import { describe, expect, it } from 'vitest';
import { scorers } from '../scorers/registry.ts';
import { benchmarks, findBenchmark } from './registry.ts';
import { table } from './testing/fixtures.ts';

describe('registry', () => {
  it('finds by name, title and the short names of papers, and names the nearest', () => {
    expect(findBenchmark('SCENES_POPE').name).toBe('scenes-pope');
    expect(findBenchmark('LB-Wilder').name).toBe('llava-bench-wilder');
    expect(findBenchmark('LLaVA-Bench (COCO)').name).toBe('llava-bench-coco');
    expect(() => findBenchmark('popes')).toThrow(/There is no benchmark "popes": did you mean pope/);
    expect(() => findBenchmark('imagenet')).toThrow(/There is no benchmark "imagenet": there are scenes-pope, /);
  });

  it.each(benchmarks.map(one => [one.name, one] as const))('%s: everything is said, prompts build, scorers exist', (name, one) => {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const key of ['title', 'summary', 'licence', 'source', 'format', 'size', 'citation'] as const) expect(one[key]).toMatch(/\S/);
    expect(one.maxNewTokens).toBeGreaterThan(0);
    expect(Object.keys(one.prompts).length).toBeGreaterThan(0);
    for (const [version, style] of Object.entries(one.prompts)) {
      expect(version).toMatch(/^[a-z-]+@[\w.]+$/);
      expect(style.source).toMatch(/\S/);
      const question = {
        id: 1,
        key: '1',
        kind: one.kind,
        text: 'old',
        options: ['x', 'y'],
        pictures: [],
        answers: [],
        cluster: '1',
        facts: {},
        where: '',
      };
      // A shifted question is asked in its shifted words.
      const { text } = style.build(question, 'new words');
      expect(text).toContain('new words');
      expect(text).not.toContain('old');
    }
    for (const scorer of one.scorers) expect(Object.keys(scorers)).toContain(scorer);
  });

  it.each(benchmarks.filter(one => !one.source.startsWith('built in')).map(one => [one.name, one] as const))(
    '%s: no data, another set, a file that is none',
    async (_, one) => {
      await expect(one.load({})).rejects.toThrow(/needs its data: give --data with a folder or file/);
      await expect(one.load({ data: table('nowhere') })).rejects.toThrow(/There is no file or folder/);
      await expect(one.load({ data: table('traps/lfs-pointer.parquet') })).rejects.toThrow(/is a pointer of Git LFS|holds no questions/);
      await expect(one.load({ data: table('traps/pictures') })).rejects.toThrow(/holds no questions of/);
    },
  );
});
