/** @file What every run of a method shares, whatever is explained: progress over seeds, counted passes, warnings by who they are about. */
import type { Modality } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import type { MethodRun } from './method.ts';

/** Progress and work of one call over its seeds. */
export class RunCounter {
  /** Passes through whole towers. */
  readonly passes = { forward: 0, backward: 0 };
  private done = 0;
  private total = 0;

  constructor(
    private readonly repeats: number,
    private readonly layersOf: (modality: Modality) => number,
    private readonly call: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
  ) {}

  /** The reporting functions of a run. @param s which seed, from 0 */
  forSeed(s: number): Pick<MethodRun, 'plan' | 'advance' | 'passes'> {
    let planned = 0;
    return {
      plan: units => {
        // The first seed's plan stands for the later ones too.
        planned += units;
        this.total = Math.max(this.total, this.done + planned + (s === 0 ? planned * (this.repeats - 1) : 0));
      },
      advance: (units = 1) => {
        this.done += units;
        planned -= units;
        this.call.signal?.throwIfAborted();
        this.call.onProgress?.(this.done, Math.max(this.total, this.done));
      },
      passes: (side, rows, forward, backward = 0) => {
        this.passes.forward += (rows * forward) / this.layersOf(side);
        this.passes.backward += (rows * backward) / this.layersOf(side);
      },
    };
  }
}

/** Passes warnings on and keeps them for the results: the checkpoint's, those of one pair, and the method's for all. */
export function gatherWarnings(own: readonly string[] | undefined, onWarning?: (message: string) => void) {
  const said: { readonly message: string; readonly pair?: number }[] = [];
  return {
    warn(message: string, pair?: number): void {
      if (said.some(s => s.message === message && s.pair === pair)) return;
      said.push({ message, pair });
      onWarning?.(message);
    },
    warningsOf(pair: number): { warnings?: string[] } {
      const messages = said.filter(s => s.pair === undefined || s.pair === pair).map(s => s.message);
      const warnings = [...new Set([...(own ?? []), ...messages])];
      return warnings.length ? { warnings } : {};
    },
  };
}

/** @throws NarrowsError for seeds that cannot be counted */
export function checkSeeds(seed: number, seeds: number): void {
  if (!Number.isInteger(seeds) || seeds < 1)
    throw new NarrowsError(`The number of seeds must be at least 1, got ${seeds}.`, { kind: 'usage' });
  if (!Number.isSafeInteger(seed) || seed < 0 || !Number.isSafeInteger(seed + seeds))
    throw new NarrowsError(`The seed must be a whole number from 0 to 2^53, got ${seed}.`, { kind: 'usage' });
}
