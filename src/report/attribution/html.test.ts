import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TargetKind } from '../../attribution/target.ts';
import { indexRow, reportHtml } from './bound.ts';
import { commandLine, shellQuote } from './html.ts';
import { indexHtml } from './html-index.ts';
import { exampleResult } from './testdata/example-result.ts';

const photo = { width: 60, height: 40, data: new Uint8Array(7200).fill(120) };
const nasty = `</script><img src=x onerror=alert(1)> "it's" & <!-- \u2028 חתול 🐈`;
const item = (caption: string, more = {}) => ({ image: photo, result: exampleResult({ caption, ...photo, grid: [3, 3], ...more }) });

/** Tags close in the order in which they opened; attribute values are quoted. */
function expectBalanced(html: string): void {
  const open: string[] = [];
  const hollow = new Set(['meta', 'img', 'input', 'line', 'path', 'circle', 'wbr']);
  const bare = html.replace(/<!doctype html>/, '').replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
  for (const [, close, name, rest] of bare.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*\/?>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!hollow.has(name) && !rest.endsWith('/')) open.push(name);
  }
  expect(open).toEqual([]);
  // Nothing that looks like a tag was missed by the pattern above.
  expect(bare.match(/</g)?.length).toBe(bare.match(/<\/?[a-zA-Z][\w-]*(?:\s+[\w:-]+(?:="[^"<]*")?)*\s*\/?>/g)?.length);
}

/** The policy admits exactly the page's script and style. */
function expectPolicy(html: string): void {
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  for (const tag of ['script', 'style']) {
    const inner = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
    expect(policy).toContain(`'sha256-${createHash('sha256').update(inner).digest('base64')}'`);
    if (tag === 'script') expect(() => new Function(inner)).not.toThrow();
  }
  expect(html).not.toMatch(/\sstyle="|\son[a-z]+="|javascript:/);
}

describe('the report', () => {
  test('is one file that asks for nothing', async () => {
    const html = await reportHtml([
      item('a cup of coffee'),
      item('a cup', { modality: 'image' }),
      item('a cup', { modality: 'text', converged: false }),
      item('a cup', { unit: 'score', values: [-1, 1] }),
    ]);
    expect(html).not.toMatch(/https?:\/\//);
    for (const [, source] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(source).toMatch(/^data:image\//);
    expectBalanced(html);
    expectPolicy(html);
  });
  test('escapes captions everywhere', async () => {
    const html = await reportHtml([item(nasty)], { title: nasty });
    expect(html).not.toContain('<img src=x');
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expectBalanced(html);
    const data = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '');
    expect(data.items[0].words.map((word: { start: number; end: number }) => nasty.slice(word.start, word.end))).toEqual(
      data.items[0].words.map((word: { text: string }) => word.text),
    );
    expect(data.items[0].image.patches).toHaveLength(9);
  });
  test('names the target where it is another than the cosine to the caption', async () => {
    const { result } = item('a cup');
    const page = (target: string, targetKind: TargetKind) => reportHtml([{ result: { ...result, target, targetKind }, image: photo }]);
    expect(await page('cosine to the caption', 'caption')).not.toContain('<span>explains');
    expect(await page('cosine to the caption minus cosine to "a dog"', 'contrast')).toContain('<span>explains cosine to the caption minus');
    expect(await page('cosine to the image', 'image')).toContain('<span>explains cosine to the image');
  });
  test('holds every number in tables too', async () => {
    const { result } = item('a cup');
    const html = await reportHtml([{ result, image: photo }]);
    for (const value of result.image!.patches) expect(html).toContain(`<td>${value.toFixed(3)}</td>`);
    expect(html).toContain(result.provenance.model.sha256);
    expect(html).toContain('aria-label="Fit (cosine to target): from 0.110 to');
  });
  test('refuses nothing, too much, and NaN', async () => {
    await expect(reportHtml([])).rejects.toThrow(/at least one/);
    const { result } = item('a');
    const bad = { ...result, image: { ...result.image!, patches: new Float32Array(9).fill(Number.NaN) } };
    await expect(reportHtml([{ result: bad, image: photo }])).rejects.toThrow(/NaN/);
  });
});

test('the command can be typed again', () => {
  expect(shellQuote("it's")).toBe(`'it'\\''s'`);
  expect(commandLine(item("a cat's cup").result)).toBe(
    `narrows attribute --model clip-vit-base-patch32 --image coffee.png --text 'a cat'\\''s cup' --method m2ib --modality both --layer 9 --beta 0.1 --steps 10 --learning-rate 1 --batch-size 10 --variance 1 --seed 0`,
  );
});

test('the index is safe, sortable and asks for nothing', async () => {
  const { result } = item(nasty);
  const rows = [
    await indexRow(result, photo, 'pairs/1.html'),
    { ...(await indexRow(result, photo, 'javascript:alert(1)')), thumbnail: 'x" onload="' },
    await indexRow(result, photo, '//host/x'),
  ];
  const html = indexHtml(rows);
  expectBalanced(html);
  expectPolicy(html);
  expect(html.match(/<a href="([^"]*)"/g)).toEqual(['<a href="pairs/1.html"']);
  expect(html.match(/data-value="0\.2871"/g)).toHaveLength(3);
  expect(html).not.toMatch(/https?:\/\//);
});

test('the legend speaks of each side of each part that is there, and of no other', async () => {
  const photo = { width: 20, height: 10, data: new Uint8Array(600).fill(200) };
  const legend = async (bumps: number, words: number) => {
    const unit = 'score' as const;
    const result = exampleResult({ caption: 'a cup', ...photo, unit, bumps: [[0.5, 0.5, 0.2, bumps]], values: [words, 0.4] });
    const html = await reportHtml([{ result, image: photo }]);
    return [...html.matchAll(/class="legend" data-place="(\d)">([^<]*)</g)].map(m => [Number(m[1]), m[2]]);
  };
  const image = [
    'On the image, clear is none, violet is some, pale yellow is most.',
    'On the image, clear is none, orange raises, blue lowers.',
  ];
  const words = ['Among the words, dark indigo is none, pale yellow is most.', 'Among the words, orange raises, blue lowers.'];
  expect(await legend(0.8, 0.1)).toEqual([
    [0, image[0]],
    [2, words[0]],
  ]);
  expect(await legend(0.8, -0.2)).toEqual([
    [0, image[0]],
    [3, words[1]],
  ]);
  expect(await legend(-0.8, 0.1)).toEqual([
    [1, image[1]],
    [2, words[0]],
  ]);
});

test('each map has the course of its own optimisation under it', async () => {
  const { image, result } = item('a cup');
  const course = (note: string) => ({ ...result.image!.convergence, note });
  const page = await reportHtml([
    {
      image,
      result: {
        ...result,
        image: { ...result.image!, convergence: course('Of the image.') },
        text: { ...result.text!, convergence: course('Of the words.') },
      },
    },
  ]);
  expect([...page.matchAll(/Of the (image|words)\./g)].map(m => m[1])).toEqual(['image', 'words', 'image', 'words']);
  // First as verdicts above the maps, then under each.
  expect(page.lastIndexOf('Of the image.')).toBeLessThan(page.indexOf('<h3>Caption</h3>'));
  expect(page.lastIndexOf('Of the words.')).toBeGreaterThan(page.indexOf('<h3>Caption</h3>'));
});
