/** @file How α, the share of the posterior in what goes on, and β, the weight of its KL, rise over a training. */
import type { BottleneckConfig } from './config.ts';

/** Steepness and middle of the released code's sigmoid. */
const STEEPNESS = 10;
const MIDDLE = 0.5;
/** Parts of a training with `after_alpha`: α rises, β rises, both stay. */
const THIRDS = 3;

/**
 * α at a step: from `alpha_start` to `alpha_end`.
 * `sigmoid` is the released code's (vittle/train/vittle_trainer.py: σ(10 (t/T − ½)), which touches neither end), `cosine` the paper's
 * (½ (1 − cos πt/T)), `constant` is `alpha_end` throughout. With the `beta_schedule` `after_alpha` T is a third of the training.
 * @param step t, updates made before this one
 * @param totalSteps T, updates of the whole training
 */
export function alphaAt(
  config: Pick<BottleneckConfig, 'alpha_schedule' | 'alpha_start' | 'alpha_end' | 'beta_schedule'>,
  step: number,
  totalSteps: number,
): number {
  const { alpha_schedule: schedule, alpha_start: start, alpha_end: end } = config;
  if (schedule === 'constant') return end;
  const part = totalSteps > 0 ? Math.min(1, (step * (config.beta_schedule === 'after_alpha' ? THIRDS : 1)) / totalSteps) : 1;
  const risen = schedule === 'sigmoid' ? 1 / (1 + Math.exp(-STEEPNESS * (part - MIDDLE))) : (1 - Math.cos(Math.PI * part)) / 2;
  return start + (end - start) * risen;
}

/**
 * What the βs are multiplied by at a step: 1, or with `after_alpha` ½ (1 − cos πu), u = 3t/T − 1 kept within 0 to 1: nothing is charged while α
 * rises (the first third), all of it once β has risen too (the last third).
 * @param step t, updates made before this one @param totalSteps T, updates of the whole training
 */
export function betaShareAt(config: Pick<BottleneckConfig, 'beta_schedule'>, step: number, totalSteps: number): number {
  if (config.beta_schedule !== 'after_alpha' || totalSteps <= 0) return 1;
  const part = Math.min(1, Math.max(0, (step * THIRDS) / totalSteps - 1));
  return (1 - Math.cos(Math.PI * part)) / 2;
}
