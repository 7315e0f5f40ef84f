/** @file KL between diagonal Gaussians, exact and as Vittle's released code computes it. */
import { exp, mul, sub, type Value } from '../../graph/index.ts';
import { standardNormalNats } from '../normal.ts';

/** A diagonal Gaussian; both broadcast to the other's shape. */
export interface Gaussian {
  readonly mean: Value;
  readonly logVariance: Value;
}

/**
 * KL(posterior ‖ prior) per element, in nats: ½ (ln(p/s) − 1 + s/p + (μ − m)²/p), in the prior's own units.
 * @param prior none: N(0, I)
 * @param halfLog the released code's form, whose log term is halved (vittle_llama.py, `vib_kld_loss`): not the KL to the stated prior, but
 *   ½ KL to a prior of half its variance, less (1 − ln 2)/4; it can be negative
 */
export function gaussianKl(posterior: Gaussian, prior?: Gaussian, halfLog = false): Value {
  const ratio = prior ? sub(posterior.logVariance, prior.logVariance) : posterior.logVariance;
  const distance = prior ? mul(sub(posterior.mean, prior.mean), exp(mul(prior.logVariance, -0.5))) : posterior.mean;
  return standardNormalNats(distance, exp(ratio), mul(ratio, halfLog ? -0.25 : -0.5));
}
