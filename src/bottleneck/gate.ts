/**
 * @file The noisy gate of M2IB (arXiv 2312.17174, section 3): λ = σ(α) keeps a share of a hidden state and fills the rest with noise,
 *   z = λh + (1 − λ)(μ + sε),  ε ~ N(0, 1),  so  z|h ~ N(λh + (1 − λ)μ, (1 − λ)²s²)  against the prior  N(μ, s²).
 * With ĥ = (h − μ)/s the cost per element, in nats, is  KL = −ln(1 − λ) + ½[(1 − λ)² + (λĥ)² − 1],
 * written with softplus(α) = −ln(1 − λ), so that a large α gives a large number instead of infinity.
 */
import { add, mul, mulDims, neg, reshape, sigmoid, softplus, square, sub, unsqueeze, type Value } from '../graph/index.ts';
import { sampleNormal, standardNormalNats } from './normal.ts';

/** What the noise and the prior are made of: per channel mean and deviation, broadcast to the hidden state. None: μ = 0, s = 1. */
export interface NoiseStatistics {
  readonly mean: Value;
  readonly deviation: Value;
}

/**
 * Noisy copies of hidden states.
 * @param hidden [P, N, D]
 * @param alpha [P, N, D], or [P, N, 1] for one gate per token
 * @param noise standard normal [S, N, D], the same for every pair
 * @returns [P·S, N, D]
 */
export function noisyGate(hidden: Value, alpha: Value, noise: Value, statistics?: NoiseStatistics): Value {
  const [pairs, tokens, width] = hidden.shape;
  const samples = noise.shape[0];
  // z = h + (1 − λ)(μ + sε − h): where λ is near 1, the small factor is computed for itself and not as a difference.
  const replacement = statistics
    ? sampleNormal(unsqueeze(sub(statistics.mean, hidden), 1), unsqueeze(statistics.deviation, 1), unsqueeze(noise, 0))
    : sub(unsqueeze(noise, 0), unsqueeze(hidden, 1));
  const noisy = add(unsqueeze(hidden, 1), mul(unsqueeze(sigmoid(neg(alpha)), 1), replacement));
  return reshape(noisy, [mulDims([pairs, samples]), tokens, width]);
}

/**
 * The same gate on a state that has noisy copies already: copy s of a pair gets noise s.
 * @param hidden [P·S, N, D]
 * @param alpha [P, N, D] or [P, N, 1]
 * @param noise standard normal [S, N, D]
 * @returns [P·S, N, D]
 */
export function noisyGateAgain(hidden: Value, alpha: Value, noise: Value, statistics?: NoiseStatistics): Value {
  const [pairs] = alpha.shape;
  const [samples, tokens, width] = noise.shape;
  const copies = reshape(hidden, [pairs, samples, tokens, width]);
  const drawn = unsqueeze(noise, 0);
  const source = statistics ? sampleNormal(unsqueeze(statistics.mean, 1), unsqueeze(statistics.deviation, 1), drawn) : drawn;
  return reshape(add(copies, mul(unsqueeze(sigmoid(neg(alpha)), 1), sub(source, copies))), hidden.shape);
}

/** Cost in nats per element, [P, N, D]. @param standard ĥ, the standardised hidden state [P, N, D] */
export function gateInformation(alpha: Value, standard: Value): Value {
  return standardNormalNats(mul(sigmoid(alpha), standard), square(sigmoid(neg(alpha))), softplus(alpha));
}

/** The same on the host, float64 inside: one element's cost in nats. */
export function gateNats(alpha: number, standard: number): number {
  const keep = 1 / (1 + Math.exp(-alpha));
  const drop = 1 / (1 + Math.exp(alpha));
  const soft = alpha > 0 ? alpha + Math.log1p(Math.exp(-alpha)) : Math.log1p(Math.exp(alpha));
  return soft + 0.5 * ((keep * standard) ** 2 + drop ** 2 - 1);
}
