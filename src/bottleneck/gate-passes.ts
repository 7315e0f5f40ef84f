/** @file How often the optimisation of a gate runs the blocks above it. */

/** Settings of steps, as methods have them. */
export interface StepSettings {
  readonly steps: number;
  /** Samples of the noise at a step. */
  readonly batchSize: number;
  /** First steps without noise, one pass each; `auto`: two thirds of them. */
  readonly quietSteps?: number | 'auto';
}

/** How many of the first steps run without noise. */
export const quietStepsOf = ({ steps, quietSteps = 0 }: StepSettings): number =>
  quietSteps === 'auto' ? Math.floor((2 * steps) / 3) : Math.min(steps, quietSteps);

/** Passes of a pair through the blocks above the gate, forward and backward each. */
export function gatePasses(settings: StepSettings): number {
  const quiet = quietStepsOf(settings);
  return quiet + (settings.steps - quiet) * settings.batchSize;
}
