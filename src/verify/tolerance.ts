/** @file How far a value may stand from its reference, by kind of value. */
import { NarrowsError } from '../system/errors.ts';

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

/**
 * Scale of a cosine, of what is made of cosines (games, removal curves) and of shares: they live in [−1, 1], and their rounding is that of
 * the terms of order one that cancel in them. Against its own size a true cosine of 1e-3 would depart at 1e-8.
 */
export const COSINE_SCALE = 1;
/** Scale of a loss in nats: a mean of differences of logits, which cancel where the loss is small; an absolute error is a share of the likelihood. */
export const LOSS_SCALE = 1;

/** Which error of a kind is held against its tolerance. */
export const measureOf = (kind: ToleranceKind): 'absolute' | 'relative' => (kind === 'gate' ? 'absolute' : 'relative');

/**
 * @param given one number for every kind, or numbers for some kinds; the others keep their defaults
 * @throws NarrowsError for a number that is not positive
 */
export function resolveTolerances(given: number | Partial<Record<ToleranceKind, number>> = {}): Record<ToleranceKind, number> {
  const perKind = typeof given === 'number' ? { forward: given, gradient: given, gate: given, information: given } : given;
  const all = { ...TOLERANCES, ...perKind };
  for (const value of Object.values(all))
    if (!(value > 0 && Number.isFinite(value)))
      throw new NarrowsError(`A tolerance must be a positive number such as 1e-4, got ${value}.`, { kind: 'usage' });
  return all;
}

/**
 * What a person writes after `--tolerance`: one number for every kind (`1e-3`), or kinds by name (`gate=1e-3,gradient=1e-5`).
 * @throws NarrowsError for anything else
 */
export function parseTolerance(text: string): number | Partial<Record<ToleranceKind, number>> {
  const wrong = (): NarrowsError =>
    new NarrowsError(`--tolerance takes a positive number such as 1e-4, or kinds such as gate=1e-3,forward=1e-6, not "${text}".`, {
      kind: 'usage',
    });
  const number = (part: string): number => {
    const value = part.trim() === '' ? Number.NaN : Number(part);
    if (!(value > 0 && Number.isFinite(value))) throw wrong();
    return value;
  };
  if (!text.includes('=')) return number(text);
  const out: Partial<Record<ToleranceKind, number>> = {};
  for (const part of text.split(',')) {
    const [kind, value, ...rest] = part.split('=');
    if (!Object.hasOwn(TOLERANCES, kind.trim()) || value === undefined || rest.length) throw wrong();
    out[kind.trim() as ToleranceKind] = number(value);
  }
  return out;
}
