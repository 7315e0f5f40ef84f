import { describe, expect, it } from 'vitest';
import { darkChart, paperChart } from '../../comparison/svg/palette.ts';
import { cellText, matrixOf, STEPS, shadeOf } from '../matrix.ts';
import { exampleRun } from '../testing/example-run.ts';
import { heat, heatClass, heatColour, heatStyle } from './heat.ts';
import { heatMap } from './heat-map.ts';

/** Relative luminance and contrast as WCAG 2 defines them. */
const luminance = (colour: string): number => {
  const [r, g, b] = [1, 3, 5].map(at => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

describe('colours of the matrix', () => {
  it('are paper for nothing, orange for drops, blue for gains, and let numbers be read in both themes', () => {
    for (const [colours, chart] of [
      [heat.light, paperChart],
      [heat.dark, darkChart],
    ] as const) {
      expect([heatColour(0, colours), heatColour(-STEPS, colours), heatColour(STEPS, colours)]).toEqual([
        chart.paper,
        colours.drop,
        colours.gain,
      ]);
      for (let shade = -STEPS; shade <= STEPS; shade++) expect(contrast(heatColour(shade, colours), chart.ink)).toBeGreaterThan(4.5);
      const [red, , blue] = [1, 3, 5].map(at => Number.parseInt(colours.drop.slice(at, at + 2), 16));
      expect(red).toBeGreaterThan(blue);
    }
    expect([heatClass(-3), heatClass(0), heatClass(10)]).toEqual(['drop-3', '', 'gain-10']);
    const shades = Array.from({ length: 10 }, (_, i) => [`drop-${i + 1}`, `gain-${i + 1}`]).flat();
    expect([...heatStyle.matchAll(/^:root \.(\S+) \{/gm)].map(([, name]) => name).sort()).toEqual(shades.sort());
    expect(heatStyle).toContain(`:root .drop-10 { background: ${heat.light.drop}; }`);
    expect(heatStyle).toContain(`:root[data-theme=dark] .gain-10 { background: ${heat.dark.gain}; }`);
  });

  it('the picture has every cell of the matrix with its number on its colour', () => {
    const matrix = matrixOf(exampleRun({ questions: 20 }).results)!;
    const { svg } = heatMap(matrix, 'tiny', paperChart, heat.light);
    const cells = matrix.groups.flatMap(({ rows }) => rows.flatMap(row => row.cells.flatMap(cell => (cell ? [cell] : []))));
    const drawn = [...svg.matchAll(/<rect [^>]*rx="4" fill="(#[0-9a-f]{6})"[^>]*\/><text[^>]*>([^<]*)<\/text>/g)].map(m => [m[1], m[2]]);
    expect(drawn).toEqual(cells.map(cell => [heatColour(shadeOf(cell.change.difference, matrix.largest), heat.light), cellText(cell)]));
  });
});
