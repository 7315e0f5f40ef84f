/** @file Signed maps take a map of colours that is dark at zero on dark pictures; the index counts what failed. */
import { expect, test } from 'vitest';
import { figureStyle, isDark } from './figure-options.ts';
import { indexHtml } from './html-index.ts';
import { exampleResult } from './testdata/example-result.ts';

const flat = (value: number) => ({ width: 20, height: 10, data: new Uint8Array(600).fill(value) });

test('dark and light pictures', () => {
  expect([isDark(flat(20)), isDark(flat(84)), isDark(flat(86)), isDark(flat(200))]).toEqual([true, true, false, false]);
  const base = exampleResult({ caption: 'a cup', width: 20, height: 10 });
  const signed = {
    ...base,
    unit: 'score' as const,
    image: { ...base.image!, patches: base.image!.patches.map((v, i) => (i % 2 ? -v : v)) },
  };
  expect(figureStyle(signed, {}, flat(20)).imageMap.name).toBe('narrows-signed-dark');
  expect(figureStyle(signed, {}, flat(200)).imageMap.name).toBe('narrows-signed');
  // The words keep the theme's map, and an asked for map is kept.
  const words = { ...signed, text: { ...base.text!, words: base.text!.words.map((w, i) => ({ ...w, value: i % 2 ? -1 : 1 })) } };
  expect(figureStyle(words, {}, flat(20)).map.name).toBe('narrows-signed');
  expect(figureStyle(signed, { colourMap: 'narrows-sea' }, flat(20)).imageMap.name).toBe('narrows-sea');
});

test('the index counts failures and warnings, gives reasons whole, and has no columns of bits for scores', () => {
  const row = { image: 'a.png', caption: 'a', cosine: 0.1 };
  const html = indexHtml([
    { ...row, verdict: 'no optimisation', warnings: ['The picture: odd.'] },
    { ...row, cosine: Number.NaN, verdict: 'failed: Image b.png does not exist; check the path.' },
  ]);
  expect(html).toContain('2 pairs, 1 failed, 1 with warnings');
  expect(html).toContain('<p class="warning small">Image b.png does not exist; check the path.</p>');
  expect(html).not.toContain('Shared bits');
  expect(indexHtml([{ ...row, verdict: 'converged', imageBits: 2 }])).toContain('Shared bits, image');
});
