import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { figureSvg } from './bound.ts';
import { figureStyle, methodLabel } from './figure-options.ts';
import { measure, rightToLeft, shorten, wrap } from './glyphs.ts';
import { figurePng, overlayPng } from './raster.ts';
import { element, escapeText, label, toSvg } from './svg.ts';
import { exampleResult } from './testdata/example-result.ts';

const picture = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7 + (i >> 6) * 13) % 256),
});
const photo = picture(60, 40);
const result = exampleResult({ caption: 'a cup of coffee on a wooden table .', ...photo, grid: [4, 4] });
const withoutPixels = (svg: string) => svg.replace(/data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]+/g, 'data:image');
/** librsvg refuses what is not well-formed XML. */
const size = async (svg: string | Uint8Array) => {
  const { width, height } = await sharp(Buffer.from(svg)).metadata();
  return { width, height };
};

test('evidence against among the words gives the image no second side, nor the reverse', () => {
  const against = { caption: 'a cup', ...photo, unit: 'score' } as const;
  const image = figureStyle(exampleResult({ ...against, bumps: [[0.5, 0.5, 0.2, -0.8]], values: [0.1, 0.4] }));
  expect([image.imageScale!.signed, image.imageMap.name]).toEqual([true, 'narrows-signed']);
  expect([image.wordScale!.signed, image.wordScale!.low, image.wordScale!.high, image.map.name]).toEqual([false, 0, 0.4, 'narrows-heat']);
  const words = figureStyle(exampleResult({ ...against, bumps: [[0.5, 0.5, 0.2, 0.8]], values: [-0.1, 0.4] }));
  expect([words.imageScale!.signed, words.imageScale!.low, words.imageMap.name]).toEqual([false, 0, 'narrows-heat']);
  expect([words.wordScale!.signed, words.wordScale!.low, words.map.name]).toEqual([true, -0.4, 'narrows-signed']);
});

describe('SVG', () => {
  test('stays as it is', async () => {
    await expect(withoutPixels(await figureSvg(result, photo, { grid: true }))).toMatchFileSnapshot('testdata/figure.svg');
  });
  test.each([
    { theme: 'dark', unit: 'bits' },
    { method: 'contour' },
    { method: 'masked', width: 320 },
    { method: 'heat', layout: 'stack', original: false },
    { outlines: true, wordValues: false },
  ] as const)('is well-formed and as wide as asked: %o', async options => {
    const svg = await figureSvg(result, photo, options);
    expect((await size(svg)).width).toBe('width' in options ? options.width : 1200);
    expect(withoutPixels(svg)).not.toMatch(/NaN|undefined|Infinity/);
    for (const [, number] of withoutPixels(svg).matchAll(/[ "](-?\d+\.\d{4,})/g)) throw new Error(`unrounded ${number}`);
  });
  test('escapes what a caption may hold', async () => {
    const caption = `</text><script>"'&\u0000\ud800 猫 👩‍🚀 חתול`;
    const nasty = exampleResult({ caption, ...photo });
    for (const outlines of [false, true]) {
      const svg = await figureSvg(nasty, photo, { outlines });
      expect(withoutPixels(svg)).not.toContain('<script');
      expect((await size(svg)).width).toBe(1200);
    }
    expect(escapeText(`<&>"'\u0001\ud800x`)).toBe('&lt;&amp;&gt;&quot;&#39;\ufffd\ufffdx');
  });
  test.each(['image', 'text'] as const)('draws a result with %s only', async modality => {
    const svg = await figureSvg(exampleResult({ caption: 'a cup', ...photo, modality }), photo);
    expect(svg.includes('nats per patch')).toBe(modality === 'image');
    expect(svg.includes('nats per word')).toBe(modality === 'text');
  });
  test('warns of an optimisation that did not converge', async () => {
    expect(withoutPixels(await figureSvg(exampleResult({ caption: 'a', ...photo, converged: false }), photo))).toContain('>not converged<');
    expect(withoutPixels(await figureSvg(result, photo))).not.toContain('not converged');
  });
  test('words of a long caption stay inside and apart', async () => {
    const long = exampleResult({ caption: Array.from({ length: 75 }, (_, i) => `word${i}`).join(' '), ...photo });
    for (const width of [320, 800, 1200, 2000]) {
      const svg = await figureSvg(long, photo, { width });
      const boxes = Array.from(
        svg.matchAll(/<g><title>word[^<]+<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g),
        m => m.slice(1).map(Number),
      );
      expect(boxes).toHaveLength(75);
      const [, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) as RegExpExecArray).slice(1).map(Number);
      boxes.forEach(([x, y, w, h], i) => {
        expect(x + w).toBeLessThanOrEqual(width - 28);
        expect(y + h).toBeLessThan(height - 28);
        const next = boxes[i + 1];
        if (next) expect(next[1] > y ? next[1] >= y + h : next[0] >= x + w).toBe(true);
      });
    }
  });
  test('refuses options out of range', async () => {
    await expect(figureSvg(result, photo, { width: 10 })).rejects.toThrow(/320 to 4000/);
    await expect(figureSvg(result, photo, { opacity: 2 })).rejects.toThrow(/Opacity/);
    await expect(figureSvg(result, photo, { method: 'jet' as never })).rejects.toThrow(/blended, heat, masked, contour/);
    const { image: _, text: __, ...empty } = result;
    await expect(figureSvg(empty, photo)).rejects.toThrow(/nothing to draw/);
    await expect(figureSvg(result, { ...photo, data: new Uint8Array(5) })).rejects.toThrow(/needs 7200 RGB bytes, not 5/);
  });
});

describe('PNG', () => {
  test('has the pixels asked for', async () => {
    const one = await size(await figurePng(result, photo, { width: 640, density: 1 }));
    const two = await size(await figurePng(result, photo, { width: 640 }));
    expect(one.width).toBe(640);
    expect(two).toEqual({ width: 1280, height: 2 * (one.height as number) });
    await expect(figurePng(result, photo, { density: 9 })).rejects.toThrow(/between 1 and 4/);
  });
  test('shows text without any font: the title is drawn as outlines', async () => {
    const svg = toSvg(
      element('svg', { xmlns: 'http://www.w3.org/2000/svg', width: 200, height: 40 }, label('Méthode β ≤ 猫', 4, 30, 20, '#000')),
      { text: 'outlines', boxes: true },
    );
    expect(svg).not.toContain('<text');
    const { channels } = await sharp(Buffer.from(svg)).stats();
    expect(channels[3].mean).toBeGreaterThan(10);
  });
  test.each([
    [640, 3],
    [1, 1],
    [96, 96],
    [30, 400],
  ])('draws a picture of %i×%i', async (width, height) => {
    const odd = picture(width, height);
    const map = exampleResult({ caption: 'a cup', ...odd });
    expect((await size(await figurePng(map, odd, { density: 1 }))).width).toBe(1200);
    for (const method of ['blended', 'contour'] as const)
      expect(await size(await overlayPng(map, odd, { method, grid: true }))).toEqual({ width, height });
  });
});

describe('text', () => {
  test('is measured as Inter is', () => {
    // Advances of Inter: space 281, digits (tabular) all alike.
    expect(measure(' ', 1000)).toBe(281);
    expect(new Set([...'0123456789'].map(digit => measure(digit, 1000))).size).toBe(1);
    expect(measure('e\u0301', 10)).toBe(measure('e', 10));
  });
  test('wraps and shortens within the width', () => {
    for (const line of wrap('The quick brown fox jumps over a Donaudampfschifffahrtsgesellschaft', 90, 14))
      expect(measure(line, 14)).toBeLessThanOrEqual(90);
    expect(shorten('abcdefghijklmnop', 60, 14)).toMatch(/^a.*….*p$/);
  });
  test('knows direction and names', () => {
    expect([rightToLeft('"חתול cat'), rightToLeft('cat חתול'), rightToLeft('12')]).toEqual([true, false, false]);
    expect([
      methodLabel({ method: 'm2ib' }),
      methodLabel({ method: 'integrated-gradients' }),
      methodLabel({ method: 'x', title: 'RISE' }),
    ]).toEqual(['M2IB', 'Integrated gradients', 'RISE']);
  });
});
