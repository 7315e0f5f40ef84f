/** @file Diagonal normal distributions in the tensor language: what M2IB's gate and Vittle's bottleneck share. */
import { add, mul, square, sub, type Value } from '../graph/index.ts';

/** Reparameterised sample: mean + deviation · noise. All broadcast. */
export const sampleNormal = (mean: Value, deviation: Value, noise: Value): Value => add(mul(noise, deviation), mean);

/**
 * KL(N(mean, variance) ‖ N(0, 1)) per element, in nats: −½ ln variance + ½ (mean² + variance − 1).
 * @param surprise −½ ln variance, in whatever form does not overflow
 */
export const standardNormalNats = (mean: Value, variance: Value, surprise: Value): Value =>
  add(surprise, mul(sub(add(square(mean), variance), 1), 0.5));
