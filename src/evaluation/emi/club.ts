/**
 * @file CLUB, a contrastive log-ratio upper bound of mutual information (Cheng et al., ICML 2020), as graph functions: a normal q(y|z) whose
 * mean and log-variance are two small networks, its likelihood, and the bound in two forms. From the paper's formulas; names of tensors are
 * those of the published checkpoints of mllmshift-emi (`p_mu.0`, `p_mu.2`, `p_logvar.0`, `p_logvar.2`).
 */
import { add, div, exp, linear, mean, mul, neg, reshape, square, sub, sum, tanh, type Value } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';

/** Sizes of an estimator. */
export interface ClubSizes {
  /** Width of z. */
  readonly input: number;
  /** Width of y. */
  readonly output: number;
  /** Units of the hidden layer of each head (the published estimator: 250, half of its `hidden_size` of 500). */
  readonly units: number;
}

/** What the two networks say of y for each z, [N, output]. */
export interface ClubHeads {
  readonly mu: Value;
  /** Within [-1, 1]: its network ends with tanh, so that no variance is below e⁻¹ or above e. */
  readonly logvar: Value;
}

/** z [N, input] through linear, tanh, linear; the log-variance through one more tanh. */
export function clubHeads(parameters: Parameters, z: Value, { input, output, units }: ClubSizes): ClubHeads {
  const head = (name: string): Value => {
    const p = parameters.in(name);
    const hidden = tanh(linear(z, p.get('0.weight', [units, input]), p.get('0.bias', [units])));
    return linear(hidden, p.get('2.weight', [output, units]), p.get('2.bias', [output]));
  };
  return { mu: head('p_mu'), logvar: tanh(head('p_logvar')) };
}

/**
 * What is maximised: the mean over pairs of Σ_d -(μ - y)² / e^{logvar} - logvar, twice the log-likelihood of q without its constant. A scalar.
 */
export const clubLikelihood = ({ mu, logvar }: ClubHeads, y: Value): Value =>
  neg(mean(sum(add(div(square(sub(mu, y)), exp(logvar)), logvar), 1)));

/** Per pair Σ_d (apart - near) / 2e^{logvar}. */
const contrast = ({ logvar }: ClubHeads, near: Value, apart: Value): Value => mul(sum(div(sub(apart, near), exp(logvar)), 1), 0.5);

/**
 * What each pair adds to the bound, [N], nats, in linear time: the mean over j of (y_j - μ_i)² is var(y) + (ȳ - μ_i)², with the variance that
 * divides by N. The bound is their mean.
 */
export function clubTerms(heads: ClubHeads, y: Value): Value {
  const centre = mean(y, 0, true);
  const spread = mean(square(sub(y, centre)), 0, true);
  return contrast(heads, square(sub(heads.mu, y)), add(spread, square(sub(centre, heads.mu))));
}

/** The bound in nats, a scalar. It may be negative: it bounds mutual information from above only where q is close to p(y|z). */
export const clubBound = (heads: ClubHeads, y: Value): Value => mean(clubTerms(heads, y));

/** The terms of the bound as published: over all N² combinations of z and y. Equal to `clubTerms` up to rounding; N² · width numbers. */
export function clubTermsByPairs(heads: ClubHeads, y: Value): Value {
  const [n, width] = y.shape;
  const all = square(sub(reshape(y, [1, n, width]), reshape(heads.mu, [n, 1, width])));
  return contrast(heads, square(sub(heads.mu, y)), mean(all, 1));
}
