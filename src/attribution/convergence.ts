/** @file A verdict on an optimisation from its loss curve. */
import type { Convergence } from './result.ts';

/** Share of the whole fall of the loss that the last two steps may still make. */
const STILL_FALLING = 0.1;
/** Share of the cost by which the last step may still change it, for the number of nats to stand. */
const COST_MOVES = 0.2;
/** Multiple of the cost by which the last step may change the loss: what the fit jumps by is what nats are weighed against. */
const LOSS_MOVES = 1;
/** Share of the first cost below which nothing is left: no nats, and that is settled. */
const NOTHING = 0.001;
const SETTLE = 'more steps at a falling rate bring it to rest (settle; with more than its 100 steps where they were not enough)';
/** Share of the undisturbed cosine below which the gate let almost nothing through. */
const CLOSED = 0.25;

/**
 * Converged when the last two steps brought at most a tenth of the whole fall, and the target is still met; unsettled when what is left of the
 * cost, which is thousands of nats less than it began with, still moves. The least that can be asked: a rate that is too high swings about
 * another cost than a lower one.
 * @param cosine between the undisturbed embeddings
 * @param nats whether the map counts nats
 */
export function judgeConvergence(fit: readonly number[], compression: readonly number[], cosine: number, nats = true): Convergence {
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
  const moving = nats ? whatMoves(fit, compression) : undefined;
  if (moving) return { ...curves, verdict: 'unsettled', note: `${moving}: how many nats there are is not settled; ${SETTLE}.` };
  return {
    ...curves,
    verdict: 'converged',
    note: `The last two steps changed the loss by ${Math.max(1, Math.round(Math.abs(recent) * 100))} % of its whole fall or less.`,
  };
}

/** What the last step still changed of the cost that is left, or of the loss in its measure. */
function whatMoves(fit: readonly number[], compression: readonly number[]): string | undefined {
  const [cost, fitted] = [compression, fit].map(curve => curve.at(-1)! - curve.at(-2)!);
  const left = compression.at(-1)!;
  if (left < NOTHING * compression[0]) return undefined;
  const share = (part: number): string => `${Math.round((100 * Math.abs(part)) / left)} %`;
  if (Math.abs(cost) > COST_MOVES * left) return `The last step still changed the cost by ${share(cost)} of what is left`;
  if (Math.abs(cost - fitted) > LOSS_MOVES * left)
    return `The last step still changed the loss by ${share(cost - fitted)} of the cost that is left`;
  return undefined;
}
