/** @file Choosing the next token from its scores: repetition penalty, temperature, top-k, top-p, min-p, in the order of transformers' generate. */
import { NarrowsError } from '../system/errors.ts';
import type { RandomReader } from '../tensor/random.ts';

/** How a token is chosen; names as in GenerationConfig of transformers. */
export interface SamplingOptions {
  /** Scores are divided by it before the softmax. 0 (the default) takes the best token. */
  readonly temperature?: number;
  /** Only the k best tokens (and those that tie with the k-th); all by default. */
  readonly topK?: number;
  /** Only the smallest set of best tokens whose probability reaches this, (0, 1]; 1 by default. */
  readonly topP?: number;
  /** Only tokens that are at least this share as likely as the best one, 0 to 1; 0 by default. */
  readonly minP?: number;
  /** Scores of tokens that occurred, prompt included, are divided (positive) or multiplied (negative) by it (arXiv 1909.05858, 4.1). Default 1. */
  readonly repetitionPenalty?: number;
}

/** @throws NarrowsError (usage) naming the option and its bounds */
export function checkSampling({ temperature = 0, topK, topP = 1, minP = 0, repetitionPenalty = 1 }: SamplingOptions): void {
  const refuse = (text: string): never => {
    throw new NarrowsError(text, { kind: 'usage' });
  };
  if (!(temperature >= 0) || temperature === Number.POSITIVE_INFINITY)
    refuse(`temperature must be 0 (greedy) or more, not ${temperature}.`);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1)) refuse(`top-k must be a whole number from 1 on, not ${topK}.`);
  if (!(topP > 0 && topP <= 1)) refuse(`top-p must lie above 0 and at most at 1, not ${topP}.`);
  if (!(minP >= 0 && minP <= 1)) refuse(`min-p must lie between 0 and 1, not ${minP}.`);
  if (!(repetitionPenalty > 0) || repetitionPenalty === Number.POSITIVE_INFINITY)
    refuse(`repetition penalty must be above 0 (1 changes nothing), not ${repetitionPenalty}.`);
}

/** Lowers the scores of tokens that occurred, in place. */
export function penalise(scores: Float32Array, seen: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(seen)) if (id < scores.length) scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
}

/** The index of the first largest score. @throws NarrowsError where no score is a number */
export function best(scores: Float32Array): number {
  let at = -1;
  for (let i = 0; i < scores.length; i++)
    if (!(scores[i] <= (at < 0 ? Number.NEGATIVE_INFINITY : scores[at])) && !Number.isNaN(scores[i])) at = i;
  if (at >= 0) return at;
  throw new NarrowsError('The model gave no number for any next token (NaN); its weights are damaged, or overflow in their 16-bit type.');
}

/** The tokens that may be drawn, best first, with their probabilities (summing to 1). There is always one, however low the temperature. */
export function candidates(scores: Float32Array, options: SamplingOptions): { ids: number[]; probabilities: number[] } {
  const { temperature = 1, topK, topP = 1, minP = 0 } = options;
  const top = scores[best(scores)];
  // Less likely than the best by 1e-12 is never drawn, and need not be sorted. At a tiny temperature the bound is the best score itself.
  const least = Math.max(top + temperature * Math.log(1e-12), -Number.MAX_VALUE);
  let ids: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] >= least) ids.push(i);
  ids.sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b] - scores[a]));
  if (topK !== undefined && topK < ids.length) {
    const kth = scores[ids[topK - 1]];
    ids = ids.filter(i => scores[i] >= kth);
  }
  // Equals of the best are as likely as it is, where it is infinite, too.
  const weights = ids.map(i => (scores[i] === top ? 1 : Math.exp((scores[i] - top) / temperature)));
  const total = weights.reduce((a, b) => a + b, 0);
  let count = ids.length;
  if (topP < 1) {
    let reached = 0;
    count = 0;
    while (count < ids.length && reached < topP) reached += weights[count++] / total;
  }
  if (minP > 0) count = Math.min(count, weights.filter(w => w >= minP).length);
  const kept = weights.slice(0, count);
  const rest = kept.reduce((a, b) => a + b, 0);
  return { ids: ids.slice(0, count), probabilities: kept.map(w => w / rest) };
}

/**
 * The next token of one row.
 * @param scores [vocabulary]; changed by the penalty
 * @param seen every token of the row so far
 * @param random where the one uniform number comes from that drawing takes
 */
export function chooseToken(scores: Float32Array, seen: Iterable<number>, options: SamplingOptions, random: () => RandomReader): number {
  penalise(scores, seen, options.repetitionPenalty ?? 1);
  if (!options.temperature) return best(scores);
  const { ids, probabilities } = candidates(scores, options);
  let left = random().uniform();
  for (let i = 0; i < ids.length; i++) {
    left -= probabilities[i];
    if (left < 0) return ids[i];
  }
  return ids[ids.length - 1];
}
