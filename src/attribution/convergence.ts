/** @file A verdict on an optimisation from its loss curve. */
import type { Convergence } from './result.ts';

/** Share of the whole fall of the loss that the last two steps may still make. */
const STILL_FALLING = 0.1;
/** Share of the undisturbed cosine below which the gate let almost nothing through. */
const CLOSED = 0.25;

/**
 * Converged when the last two steps brought at most a tenth of the whole fall, and the target is still met.
 * @param cosine between the undisturbed embeddings
 */
export function judgeConvergence(fit: readonly number[], compression: readonly number[], cosine: number): Convergence {
  const loss = fit.map((f, i) => compression[i] - f);
  const curves = { fit, compression };
  if (!loss.every(Number.isFinite))
    return { ...curves, verdict: 'not-converged', note: 'The loss was not finite; lower the learning rate.' };
  if (loss.length < 4)
    return {
      ...curves,
      verdict: 'not-converged',
      note: `Only ${loss.length} step${loss.length === 1 ? ' was' : 's were'} taken; too few to judge.`,
    };
  const fall = loss[0] - Math.min(...loss);
  const recent = (loss.at(-3)! - loss.at(-1)!) / (fall || 1);
  if (cosine > 0 && fit.at(-1)! < CLOSED * cosine)
    return {
      ...curves,
      verdict: 'not-converged',
      note: `The gate lets too little through (cosine ${fit.at(-1)!.toFixed(3)} of ${cosine.toFixed(3)}); lower beta.`,
    };
  if (Math.abs(recent) > STILL_FALLING)
    return {
      ...curves,
      verdict: 'not-converged',
      note: `The last two steps still changed the loss by ${Math.round(Math.abs(recent) * 100)} % of its whole fall; more steps may help.`,
    };
  return {
    ...curves,
    verdict: 'converged',
    note: `The last two steps changed the loss by ${Math.max(1, Math.round(Math.abs(recent) * 100))} % of its whole fall or less.`,
  };
}
