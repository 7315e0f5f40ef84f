import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { displayScale } from '../../report/attribution/normalise.ts';
import { dataUri } from '../../report/attribution/picture.ts';
import { pictureOf, sharpCodec } from '../../report/attribution/sharp-codec.ts';
import { paintSmall } from '../../report/attribution/thumbnail.ts';
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
  width: 30,
  height: 20,
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
    await writeAuditPages(root, 'list.csv', records, [failure], { rowsOfPage: 10 });
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

    await writeAuditPages(root, 'list.csv', { count: 3, read: record }, [], { rowsOfPage: 10 });
    expect((await readdir(root)).sort()).toEqual(['index.html', 'results.jsonl', 'summary.csv']);
    expect(await readFile(join(root, 'index.html'), 'utf8')).not.toContain('Page 1');
  });

  it('draw every map on one scale, with the share inside the box and the columns of the list', async () => {
    const bare = await dataUri(sharpCodec, { width: 30, height: 20, data: new Uint8Array(1800).fill(200) }, 'small');
    // The second map is half as strong as the first, and the third holds a tenth of a bit.
    const maps = [
      [4, 0, 0, 0],
      [2, 0, 0, 0],
      [0.07, 0, 0, 0],
    ];
    const read = (i: number): AuditRecord => ({
      ...record(i),
      thumbnail: bare,
      unit: 'nats',
      imageBits: maps[i][0] * Math.LOG2E,
      grid: [2, 2],
      patches: maps[i],
      view: { left: 0, top: 0, width: 30, height: 20 },
      insideBox: 0.25 * i,
      further: { site: `s${i}`, dose: String(10 * i) },
    });
    await writeAuditPages(root, 'list.csv', { count: 3, further: ['site', 'dose'], read }, [failure], { unit: 'bits' });
    const html = await readFile(join(root, 'index.html'), 'utf8');
    expect(html).toContain('All pictures share one scale, which ends at 5.77 bits per patch.');
    const shown = await Promise.all([...html.matchAll(/<img[^>]*src="([^"]+)"/g)].map(m => pictureOf(m[1])));
    // Rows come with the fewest bits first; far from the ground of 200 is hot.
    const heat = shown.map(({ data }) => Math.abs(data[2] - 200) + Math.abs(data[1] - 200));
    expect(heat[0]).toBeLessThan(60);
    expect(heat[1]).toBeGreaterThan(heat[0] + 40);
    const corner = (k: number): number[] => [...shown[k].data.slice(0, 3)];
    const scale = displayScale([], 'nats', { high: 4 });
    const map = { grid: [2, 2] as const, patches: Float32Array.from(maps[1]), view: { left: 0, top: 0, width: 30, height: 20 } };
    const half = paintSmall(await pictureOf(bare), map, { width: 30, height: 20 }, scale);
    corner(1).forEach((v, c) => {
      expect(Math.abs(v - half.data[c])).toBeLessThan(12);
    });
    expect([...html.matchAll(/<td class="number" data-value="([\d.]*)">[\d.]+ %/g)].map(m => Number(m[1]))).toEqual([0.5, 0.25, 0]);
    expect(html).toContain('<b>4 pairs, 1 failed.</b>');
    expect([...html.matchAll(/<td class="further" data-value="([^"]*)"/g)].map(m => m[1])).toEqual(['s2', 's1', 's0', 'x']);
    expect(html).toMatch(/data-kind="number"[^>]*><button type="button">dose</);
    const csv = await readFile(join(root, 'summary.csv'), 'utf8');
    expect(csv.split('\n')[0]).toBe('image,caption,cosine,image_bits,caption_bits,inside_box,verdict,report,warnings,site,dose');
    expect(csv.split('\n')[1]).toMatch(/,0\.5,converged,pairs\/2\.html,,s2,20$/);
    expect(csv.split('\n')[4]).toBe('lost.png,lost,,,,,failed: it is lost,,,x,');
    const [first] = (await readFile(join(root, 'results.jsonl'), 'utf8')).split('\n');
    expect(JSON.parse(first)).toMatchObject({ site: 's0', insideBox: 0, imageBits: 4 * Math.LOG2E });
  });

  it('are written for a hundred thousand pairs, whose thumbnails would not fit into one text', async () => {
    await writeAuditPages(root, 'list.csv', { count: 100_000, read: record }, []);
    const names = await readdir(root);
    expect(names.filter(name => /^index(-\d+)?\.html$/.test(name))).toHaveLength(50);
    expect(captions(await readFile(join(root, 'index-50.html'), 'utf8'))).toHaveLength(2000);
    expect(names.filter(name => name.endsWith('.tmp'))).toEqual([]);
  });
});
