/**
 * @file Integrated gradients along a straight path (Sundararajan, Taly, Yan, ICML 2017, arXiv 1703.01365, equation 1):
 * (x − x′) ⊙ Σₖ wₖ ∂s/∂x at x′ + aₖ (x − x′), at the tower's source or at a hidden state.
 */
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import { row } from '../rows.ts';
import { type GradientRun, type Place, pointGradients } from './point-gradients.ts';
import type { Quadrature } from './quadrature.ts';

/** Path integrals of P pairs. */
export interface PathIntegrals {
  /** One value per element of the state, its shape. */
  readonly values: FloatTensor;
  /** Per pair: the sum of the values minus s(x) − s(x′), the rule's error; zero were the integral exact. */
  readonly deltas: readonly number[];
}

/** How many points `integratePath` evaluates per pair. */
export const pathPoints = ({ nodes }: Quadrature): number => nodes.length + (nodes[0] === 0 ? 0 : 1);

/** @param state x, [P, …] (see `stateOf`); @param baseline x′, the same shape */
export async function integratePath(
  run: GradientRun,
  job: TowerJob,
  place: Place,
  state: FloatTensor,
  baseline: FloatTensor,
  rule: Quadrature,
): Promise<PathIntegrals> {
  const pairs = state.shape[0];
  // The baseline's own score is a point of weight nothing where the rule does not stand there anyway.
  const extra = pathPoints(rule) - rule.nodes.length;
  const values = new Float32Array(state.data.length);
  const sums = Array.from({ length: pairs }, () => new Float64Array(state.data.length / pairs));
  const baselineScores = new Float64Array(pairs);
  await pointGradients(run, job, place, state, {
    count: pathPoints(rule),
    fill(p, s, out) {
      const [x, base] = [row(state, p), row(baseline, p)];
      const a = s < extra ? 0 : rule.nodes[s - extra];
      for (let i = 0; i < out.length; i++) out[i] = base[i] + a * (x[i] - base[i]);
    },
    take(p, s, gradient, score) {
      if (s === 0) baselineScores[p] = score;
      if (s < extra) return;
      const w = rule.weights[s - extra];
      const total = sums[p];
      for (let i = 0; i < gradient.length; i++) total[i] += w * gradient[i];
    },
  });
  const deltas = sums.map((total, p) => {
    const [x, base, out] = [row(state, p), row(baseline, p), row(floats(state.shape, values), p)];
    let sum = 0;
    for (let i = 0; i < total.length; i++) {
      const value = (x[i] - base[i]) * total[i];
      out[i] = value;
      sum += value;
    }
    return sum - (job.scores[p] - baselineScores[p]);
  });
  return { values: floats(state.shape, values), deltas };
}
