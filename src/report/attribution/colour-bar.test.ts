import { expect, test } from 'vitest';
import { barGrounds, barPaints, colourBar } from './colour-bar.ts';
import { colourMap, hex } from './colour-map.ts';
import { legendText, legendTexts, wordLegendText } from './html/legend.ts';
import { displayScale } from './normalise.ts';
import { composite, type OverlayStyle, overlayLayer } from './overlay.ts';
import { toSvg } from './svg.ts';
import { themes } from './theme.ts';

const map = colourMap('narrows-heat');
const styles: OverlayStyle[] = (['blended', 'heat', 'masked'] as const).flatMap(method =>
  [false, true].map(signed => ({ method, map, scale: displayScale([-1, 1], 'score', { signed }), opacity: 0.8 })),
);

test.each(styles)('the bar has the colours that the overlay gives a picture: $method, signed $scale.signed', style => {
  const paints = barPaints(style);
  const grounds = style.method === 'masked' ? [[255, 255, 255] as const] : barGrounds;
  expect(paints).toHaveLength(grounds.length);
  for (const [k, ground] of grounds.entries())
    for (const position of [0, 0.2, 0.5, 0.9, 1]) {
      const { low, high } = style.scale;
      const one = { width: 1, height: 1 };
      const layer = overlayLayer(
        { grid: [1, 1], patches: Float32Array.of(low + position * (high - low)), view: { left: 0, top: 0, ...one } },
        one,
        1,
        1,
        style,
      );
      const drawn = composite({ ...one, data: Uint8Array.from(ground) }, layer).data;
      paints[k](position).forEach((channel, c) => {
        expect(Math.abs(channel - drawn[c])).toBeLessThanOrEqual(2.5);
      });
    }
});

test('an upright bar has zero at the bottom, a lying one at the left; its parts stand side by side', () => {
  const paints = barPaints(styles[0]);
  const upright = toSvg(colourBar({ left: 10, top: 0, width: 14, height: 100 }, paints, styles[0].scale, themes.light, 'b'), {
    text: 'live',
  });
  expect(upright).toContain(`x1="0" y1="1" x2="0" y2="0"><stop offset="0" stop-color="${hex(paints[0](0))}"`);
  expect([...upright.matchAll(/<rect x="(\d+)" y="0" width="7" height="100" fill="url\(#(b-\d)\)"/g)].map(m => [m[1], m[2]])).toEqual([
    ['10', 'b-0'],
    ['17', 'b-1'],
  ]);
  const lying = toSvg(colourBar({ left: 0, top: 0, width: 100, height: 14 }, paints, styles[0].scale, themes.light, 'b'), { text: 'live' });
  expect(lying).toContain('x1="0" y1="0" x2="1" y2="0"');
});

test('words of the legend follow overlay, colours and sides', () => {
  expect(legendText('blended', map, false)).toBe('On the image, clear is none, violet is some, pale yellow is most.');
  expect(legendText('heat', colourMap('narrows-sea'), false)).toBe('On the image, deep blue is none, pale lime is most.');
  expect(legendText('blended', colourMap('narrows-signed'), true)).toBe('On the image, clear is none, orange raises, blue lowers.');
  expect(wordLegendText(map, false)).toBe('Among the words, dark indigo is none, pale yellow is most.');
  const { blended, masked } = legendTexts();
  expect(blended.auto[0]).not.toMatch(/orange|blue/);
  expect(blended['narrows-grey'][0]).toContain('white is most');
  expect(masked.auto[0]).toContain('black is none');
});
