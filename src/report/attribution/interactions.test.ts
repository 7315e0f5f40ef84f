import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Attribution } from '../../attribution/result.ts';
import { figureSvg, reportHtml } from './bound.ts';
import { wordMapScale, wordMaps, wordPanelSize } from './interactions.ts';
import { attributionFromJson, attributionToJson } from './json.ts';

const convergence = { verdict: 'no-optimisation', note: '', fit: [], compression: [] } as const;
const token = (id: number, text: string, special = false) => ({ id, text, special, start: 0, end: 0, value: id });
/** Two patches; a word of one token and a word of two. */
const result: Attribution = {
  schemaVersion: 1,
  method: 'banzhaf-interactions',
  title: 'Banzhaf interactions',
  unit: 'score',
  caption: 'a teapot',
  cosine: 0.3,
  image: {
    ...{ tokens: Float32Array.of(0, 1, 2), prefixTokens: 1, grid: [1, 2], patches: Float32Array.of(1, 2), convergence },
    view: { left: 0, top: 0, width: 8, height: 4 },
    standardError: Float32Array.of(0, 0.1, 0.3),
    convergenceDelta: 0.0125,
  },
  text: {
    tokens: [token(9, '<bos>', true), token(1, 'a'), token(2, 'tea'), token(3, 'pot'), token(10, '<eos>', true)],
    words: [
      { text: 'a', start: 0, end: 1, value: 1, tokens: [1] },
      { text: 'teapot', start: 2, end: 8, value: 5, tokens: [2, 3] },
    ],
    convergence,
  },
  interactions: { values: Float32Array.of(1, 2, 4, -8, 16, 32), patches: 2, tokens: [1, 2, 3], fit: 0.875 },
  parameters: { seed: 0 },
  provenance: {
    ...{ narrows: '0', runtime: 'r', createdAt: '' },
    model: { name: 'm', sha256: '' },
    image: { name: 'i', sha256: '', width: 8, height: 4 },
  },
  timings: {},
};
const image = { width: 8, height: 4, data: new Uint8Array(96).fill(200) };

describe('interactions of words', () => {
  it('are sums over a word’s tokens, on one scale', () => {
    const maps = wordMaps(result);
    expect(maps.map(m => [m.text, m.word, ...m.patches])).toEqual([
      ['a', 0, 1, -8],
      ['teapot', 1, 6, 48],
    ]);
    const { low, high, signed } = wordMapScale(maps);
    expect([low, high, signed]).toEqual([-48, 48, true]);
    expect(wordMaps({ ...result, interactions: undefined })).toEqual([]);
    expect(wordMaps({ ...result, interactions: { ...result.interactions!, tokens: [1, 7, 8] } }).map(m => m.text)).toEqual(['a']);
  });

  it('have panels in the figure, no larger than the figure for one word', async () => {
    const svg = await figureSvg(result, image);
    expect(svg).toContain('What each word brings together with each patch');
    expect(svg.match(/word-panel-\d"/g)).toHaveLength(2);
    expect(await figureSvg({ ...result, interactions: undefined }, image)).not.toContain('word-panel');
    expect(wordPanelSize(1000, 1, image)).toEqual({ width: 239, height: 120 });
  });

  it.each([1, 2])('are drawn in panels of %d pixels per unit, picture and map alike', async density => {
    const svg = await figureSvg(result, image, {}, density);
    const panels = [...svg.matchAll(/<g clip-path="url\(#word-panel-\d\)">(.*?)<\/g>/gs)].map(m => m[1]);
    expect(panels).toHaveLength(2);
    for (const panel of panels) {
      const shown = [...panel.matchAll(/<image [^>]*?width="(\d+)" height="(\d+)"[^>]*?href="data:image\/\w+;base64,([^"]+)"/g)];
      expect(shown).toHaveLength(2);
      for (const [, width, height, data] of shown) {
        const pixels = await sharp(Buffer.from(data, 'base64')).metadata();
        expect([pixels.width, pixels.height]).toEqual([density * Number(width), density * Number(height)]);
      }
    }
  });

  it('reach the page, with what is known of the estimate, and survive as JSON', async () => {
    const html = await reportHtml([{ result, image }]);
    expect(html).toContain('"interactions":[{"word":0,"values":[1,-8]},{"word":1,"values":[6,48]}]');
    expect(html).toContain('R² of the fit <b>0.875</b>');
    expect(html).toContain('convergence delta <b>0.0125</b>');
    expect(html).toContain('standard error <b>0.1000</b>');
    expect(html).not.toContain('no optimisation');
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
  });
});
