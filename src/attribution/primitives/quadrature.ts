/** @file Quadrature rules on [0, 1] for integrated gradients. */
import { z } from 'zod';

/** Names of the rules. */
export const QUADRATURES = ['gauss-legendre', 'midpoint', 'trapezoid', 'left-riemann', 'right-riemann'] as const;
/** One of them. */
export type QuadratureRule = (typeof QUADRATURES)[number];

/** Where the gradient is taken along the path, and how much it counts; weights sum to 1. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * A rule of n points. Gauss–Legendre is exact for polynomials up to degree 2n − 1, midpoint and trapezoid up to 1, Riemann sums for constants.
 * The trapezoid has its points at 0, 1/(n − 1), …, 1 (with one point: the midpoint).
 */
export function quadrature(rule: QuadratureRule, n: number): Quadrature {
  const weights = new Float64Array(n).fill(1 / n);
  const at = (node: (k: number) => number): Quadrature => ({ nodes: Float64Array.from(weights, (_, k) => node(k)), weights });
  if (rule === 'gauss-legendre') return gaussLegendre(n);
  if (rule === 'left-riemann') return at(k => k / n);
  if (rule === 'right-riemann') return at(k => (k + 1) / n);
  if (rule === 'midpoint' || n === 1) return at(k => (k + 0.5) / n);
  weights.fill(1 / (n - 1));
  weights[0] /= 2;
  weights[n - 1] /= 2;
  return at(k => k / (n - 1));
}

/** Roots of the Legendre polynomial by Newton's method from Tricomi's guess; weights 2 / ((1 − x²) P′(x)²); mapped from [−1, 1]. */
function gaussLegendre(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let x = Math.cos((Math.PI * (k + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let step = 0; step < 100; step++) {
      let [before, value] = [0, 1];
      for (let j = 1; j <= n; j++) [before, value] = [value, ((2 * j - 1) * x * value - (j - 1) * before) / j];
      slope = (n * (x * value - before)) / (x * x - 1);
      const move = value / slope;
      x -= move;
      if (Math.abs(move) < 1e-15) break;
    }
    nodes[n - 1 - k] = (x + 1) / 2;
    weights[n - 1 - k] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** The options of every path method. @param steps default number of points; @param rule default rule */
export const quadratureOptions = (steps: number, rule: QuadratureRule = 'gauss-legendre') => ({
  nSteps: z.number().int().positive().max(10_000).default(steps).describe('points along the path from the baseline to the input'),
  rule: z.enum(QUADRATURES).default(rule).describe('quadrature: where along the path the points lie, and how each is weighted'),
});
