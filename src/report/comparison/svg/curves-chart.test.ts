import { expect, it } from 'vitest';
import { curvesChart } from './curves-chart.ts';
import { paperChart } from './palette.ts';

type Curves = Parameters<typeof curvesChart>[0][number];
const curve = (mean: number[], half: number) => ({ mean, low: mean.map(v => v - half), high: mean.map(v => v + half) });
const method = (name: string) => ({ name, title: name, family: 'gradient', options: {} }) as unknown as Curves['method'];

/** The points of all paths that hold a number of them. */
const paths = (svg: string, points: number): [number, number][][] =>
  [...svg.matchAll(/ d="M([^"]*)"/g)]
    .map(m => [...m[1].matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]): [number, number] => [Number(x), Number(y)]))
    .filter(list => list.length === points);

it('curves and their bands stand at equal shares from left to right, larger values higher, the band about its line', () => {
  const one: Curves = { method: method('one'), insertion: curve([0, 1, 2, 4], 0.5), deletion: curve([4, 2, 1, 0], 0.5) };
  const { svg } = curvesChart([one], 'one', 'Curves', paperChart);
  const [rising, falling] = paths(svg, 4);
  for (const [line, values] of [
    [rising, one.insertion!.mean],
    [falling, one.deletion!.mean],
  ] as const) {
    const [step, unit] = [(line[3][0] - line[0][0]) / 3, (line[3][1] - line[0][1]) / (values[3] - values[0])];
    expect(step).toBeGreaterThan(10);
    expect(unit).toBeLessThan(-5);
    for (const [i, [x, y]] of line.entries()) {
      expect(Math.abs(x - (line[0][0] + i * step))).toBeLessThan(0.2);
      expect(Math.abs(y - (line[0][1] + (values[i] - values[0]) * unit))).toBeLessThan(0.2);
    }
    // Over the line from the left, under it back.
    const band = paths(svg, 8)[line === rising ? 0 : 1];
    for (let i = 0; i < 4; i++) {
      for (const [x] of [band[i], band[7 - i]]) expect(Math.abs(x - line[i][0])).toBeLessThan(0.2);
      expect(Math.abs(band[i][1] - (line[i][1] + 0.5 * unit))).toBeLessThan(0.2);
      expect(Math.abs(band[7 - i][1] - (line[i][1] - 0.5 * unit))).toBeLessThan(0.2);
    }
  }
});
