/** @file How α, the share of the posterior in what goes on, rises over a training. */
import type { BottleneckConfig } from './config.ts';

/** Steepness and middle of the released code's sigmoid. */
const STEEPNESS = 10;
const MIDDLE = 0.5;

/**
 * α at a step: from `alpha_start` to `alpha_end`.
 * `sigmoid` is the released code's (vittle/train/vittle_trainer.py: σ(10 (t/T − ½)), which touches neither end), `cosine` the paper's
 * (½ (1 − cos πt/T)), `constant` is `alpha_end` throughout.
 * @param step t, updates made before this one
 * @param totalSteps T, updates of the whole training
 */
export function alphaAt(
  config: Pick<BottleneckConfig, 'alpha_schedule' | 'alpha_start' | 'alpha_end'>,
  step: number,
  totalSteps: number,
): number {
  const { alpha_schedule: schedule, alpha_start: start, alpha_end: end } = config;
  if (schedule === 'constant') return end;
  const part = totalSteps > 0 ? Math.min(1, step / totalSteps) : 1;
  const risen = schedule === 'sigmoid' ? 1 / (1 + Math.exp(-STEEPNESS * (part - MIDDLE))) : (1 - Math.cos(Math.PI * part)) / 2;
  return start + (end - start) * risen;
}
