/** @file Learning-rate schedules with warm-up, by transformers' names (`lr_scheduler_type`). */

/** Names of the schedules. */
export const SCHEDULES = ['linear', 'cosine', 'constant', 'constant_with_warmup', 'warmup_stable_decay'] as const;
/** One of them. */
export type ScheduleName = (typeof SCHEDULES)[number];

/** Warm-up steps: a whole number as it is, a fraction below 1 as a share of all steps (transformers v5's `warmup_steps`). */
export const warmupSteps = (warmup: number, totalSteps: number): number =>
  warmup > 0 && warmup < 1 ? Math.ceil(warmup * totalSteps) : warmup;

/**
 * Factor on the base learning rate at `step` (0-based): step / warm-up, then constant, linear to 0, or half a cosine to 0
 * (get_*_schedule_with_warmup in transformers). `constant` has no warm-up; `warmup_stable_decay` stays constant and falls linearly to 0
 * over the last `decay` steps, so that a run can be ended early by lowering `totalSteps`.
 */
export function scheduleFactor(name: ScheduleName, step: number, totalSteps: number, warmup: number, decay = 0): number {
  if (name === 'constant') return 1;
  const ramp = warmupSteps(warmup, totalSteps);
  if (step < ramp) return step / Math.max(1, ramp);
  if (name === 'constant_with_warmup') return 1;
  if (name === 'warmup_stable_decay') return decay > 0 ? Math.max(0, Math.min(1, (totalSteps - step) / decay)) : 1;
  const progress = Math.min(1, (step - ramp) / Math.max(1, totalSteps - ramp));
  return name === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}
