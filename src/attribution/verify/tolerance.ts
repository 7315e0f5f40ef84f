/** @file How far a value may stand from its reference, by kind of value. */
import { NarrowsError } from '../../system/errors.ts';

/**
 * forward: hidden states, attentions, embeddings, logits. gradient: of the cosine or the loss. gate: the bottleneck's α.
 * information: KL, saliency, maps and losses of an optimised gate.
 */
export type ToleranceKind = 'forward' | 'gradient' | 'gate' | 'information';

/**
 * Defaults. All but `gate` are relative to the largest entry of the reference; `gate` is absolute, since α is a logit and zero is
 * nothing special for it. Float32 and float64 runs of the same M2IB differ by at most 6e-5 in α on the tiny models.
 */
export const TOLERANCES: Readonly<Record<ToleranceKind, number>> = { forward: 1e-5, gradient: 1e-4, gate: 1e-4, information: 1e-4 };

/** Which error of a kind is held against its tolerance. */
export const measureOf = (kind: ToleranceKind): 'absolute' | 'relative' => (kind === 'gate' ? 'absolute' : 'relative');

/**
 * @param given one number for every kind, or numbers for some kinds; the others keep their defaults
 * @throws NarrowsError for a number that is not positive
 */
export function resolveTolerances(given: number | Partial<Record<ToleranceKind, number>> = {}): Record<ToleranceKind, number> {
  const own = typeof given === 'number' ? { forward: given, gradient: given, gate: given, information: given } : given;
  const all = { ...TOLERANCES, ...own };
  for (const value of Object.values(all))
    if (!(value > 0 && Number.isFinite(value)))
      throw new NarrowsError(`A tolerance must be a positive number such as 1e-4, got ${value}.`, { kind: 'usage' });
  return all;
}
