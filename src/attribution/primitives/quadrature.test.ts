import { describe, expect, it } from 'vitest';
import { expectClose } from '../../testing/close.ts';
import { QUADRATURES, quadrature } from './quadrature.ts';

const integral = (rule: (typeof QUADRATURES)[number], n: number, f: (x: number) => number): number => {
  const { nodes, weights } = quadrature(rule, n);
  return nodes.reduce((sum, x, i) => sum + weights[i] * f(x), 0);
};

describe.each(QUADRATURES)('%s', rule => {
  it.each([1, 2, 3, 10, 50, 333])('has %d nodes inside [0, 1] in order, and weights that sum to 1', n => {
    const { nodes, weights } = quadrature(rule, n);
    expect([nodes.length, weights.length]).toEqual([n, n]);
    expect([...nodes].every((x, i) => x >= 0 && x <= 1 && (i === 0 || x > nodes[i - 1]))).toBe(true);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(weights.every(w => w > 0)).toBe(true);
  });
});

it('Gauss–Legendre has the points of the tables, and integrates polynomials up to degree 2n − 1 and no further', () => {
  const { nodes, weights } = quadrature('gauss-legendre', 3);
  const far = Math.sqrt(0.6) / 2;
  expectClose(nodes, [0.5 - far, 0.5, 0.5 + far], { rtol: 1e-14 });
  expectClose(weights, [5 / 18, 8 / 18, 5 / 18], { rtol: 1e-14 });
  for (const n of [1, 2, 5, 20, 50]) {
    expect(integral('gauss-legendre', n, x => x ** (2 * n - 1)) * 2 * n).toBeCloseTo(1, 10);
    if (n < 6) expect(Math.abs(integral('gauss-legendre', n, x => x ** (2 * n)) * (2 * n + 1) - 1)).toBeGreaterThan(1e-6);
  }
});

it('the others stand where their names say', () => {
  expect([...quadrature('midpoint', 2).nodes]).toEqual([0.25, 0.75]);
  expect([...quadrature('left-riemann', 2).nodes]).toEqual([0, 0.5]);
  expect([...quadrature('right-riemann', 2).nodes]).toEqual([0.5, 1]);
  expect([...quadrature('trapezoid', 3).nodes]).toEqual([0, 0.5, 1]);
  expect([...quadrature('trapezoid', 3).weights]).toEqual([0.25, 0.5, 0.25]);
  expect([...quadrature('trapezoid', 1).nodes]).toEqual([0.5]);
});

it('errors fall with the number of points as theory has it', () => {
  const error = (rule: (typeof QUADRATURES)[number], n: number): number => Math.abs(integral(rule, n, Math.exp) - (Math.E - 1));
  for (const rule of ['left-riemann', 'right-riemann'] as const) expect(error(rule, 20) / error(rule, 40)).toBeCloseTo(2, 1);
  expect(error('midpoint', 20) / error('midpoint', 40)).toBeCloseTo(4, 1);
  expect(error('trapezoid', 21) / error('trapezoid', 41)).toBeCloseTo(4, 1);
});
