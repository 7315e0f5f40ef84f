import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAuditPages } from './audit-pages.ts';
import type { AuditRecord } from './audit-record.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-pages-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Bits come in another order than the list; every pair has a caption and a report that can be told apart. */
const record = (i: number): AuditRecord => ({
  image: `p${i}.png`,
  caption: `caption ${i}`,
  cosine: i / 100,
  imageBits: (i * 7) % 25,
  verdict: 'converged',
  href: `pairs/${i}.html`,
  thumbnail: `data:image/png;base64,${'A'.repeat(10_000)}`,
  files: [`pairs/${i}.html`],
});
const failure = {
  listed: { image: 'lost.png', path: 'lost.png', text: 'lost', line: 9, where: 'list.csv, line 9', further: { site: 'x' } },
  reason: 'it is lost',
};
const captions = (html: string): string[] => [...html.matchAll(/title="(caption \d+|lost)"/g)].map(m => m[1]);

describe('the pages of an audit', () => {
  it('hold every pair once, fewest bits first, over several pages with links; pages of a longer list go', async () => {
    const records = { count: 25, read: record };
    await writeAuditPages(root, 'list.csv', records, [failure], 10);
    const pages = await Promise.all(['index.html', 'index-2.html', 'index-3.html'].map(name => readFile(join(root, name), 'utf8')));
    const expected = Array.from({ length: 25 }, (_, i) => i).sort((a, b) => ((a * 7) % 25) - ((b * 7) % 25));
    expect(pages.flatMap(captions)).toEqual([...expected.map(i => `caption ${i}`), 'lost']);
    expect(pages.map(p => captions(p).length)).toEqual([10, 10, 6]);
    expect(pages[1]).toContain('Page 2 of 3: pairs 11 to 20 of 26');
    expect([...pages[1].matchAll(/<a href="(index[^"]*)">(\w+)</g)].map(m => [m[1], m[2]])).toEqual([
      ['index.html', 'First'],
      ['index.html', 'Previous'],
      ['index-3.html', 'Next'],
      ['index-3.html', 'Last'],
    ]);
    const csv = (await readFile(join(root, 'summary.csv'), 'utf8')).trim().split('\n');
    expect(csv.slice(1).map(line => line.split(',')[1])).toEqual([...expected.map(i => `caption ${i}`), 'lost']);
    const lines = (await readFile(join(root, 'results.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.map(l => l.caption)).toEqual([...Array.from({ length: 25 }, (_, i) => `caption ${i}`), 'lost']);
    expect(lines[3]).toMatchObject({ image: 'p3.png', imageBits: 21, cosine: 0.03, files: ['pairs/3.html'] });

    await writeAuditPages(root, 'list.csv', { count: 3, read: record }, [], 10);
    expect((await readdir(root)).sort()).toEqual(['index.html', 'results.jsonl', 'summary.csv']);
    expect(await readFile(join(root, 'index.html'), 'utf8')).not.toContain('Page 1');
  });

  it('are written for a hundred thousand pairs, whose thumbnails would not fit into one text', async () => {
    await writeAuditPages(root, 'list.csv', { count: 100_000, read: record }, []);
    const names = await readdir(root);
    expect(names.filter(name => /^index(-\d+)?\.html$/.test(name))).toHaveLength(50);
    expect(captions(await readFile(join(root, 'index-50.html'), 'utf8'))).toHaveLength(2000);
    expect(names.filter(name => name.endsWith('.tmp'))).toEqual([]);
  });
});
