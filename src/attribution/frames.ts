/** @file The maps of methods that optimise a gate, while it is optimised: for pages that show it, off by default, no part of a result. */

import type { GateFrame, GateHooks } from '../bottleneck/gate-problem.ts';
import type { Rectangle } from '../inputs/image/rgb-image.ts';
import { mergeWords } from '../inputs/text/words.ts';
import type { MethodFrame, MethodRun, TowerJob } from './method.ts';
import type { EncodedPairs } from './pair.ts';
import type { WordScore } from './result.ts';
import type { Range } from './rows.ts';

/** A frame costs the host up to some ten milliseconds: the next one waits this many times what the last one took. Small models show every step. */
const APART = 4;
/** So many frames of a modality come as fast as they can; behind them one each `RARELY` milliseconds, or who draws a long run would draw nothing else. */
const FIRST = 60;
const RARELY = 50;

/** A frame with where its values lie, as in the result. */
export interface AttributeFrame extends MethodFrame {
  /** Which seed of several, from 0. */
  readonly seedIndex: number;
  /** Images: patches are `tokens` from `prefixTokens` on; `view` in pixels of the original. */
  readonly image?: { readonly prefixTokens: number; readonly grid: readonly [number, number]; readonly view: Rectangle };
  /** Captions: `tokens` is cut to the caption's own. */
  readonly words?: readonly WordScore[];
}

/**
 * The hook of a gate for pairs from … to; nothing where nobody watches. Frames that come too fast are left out, the last never.
 * @param shown what the method makes of the gate's nats, of pair p of the call
 */
export function watchGate(
  run: Pick<MethodRun, 'onFrame'>,
  { modality }: Pick<TowerJob, 'modality'>,
  [from, to]: Range,
  steps: number,
  shown: (nats: Float32Array, p: number) => Float32Array = nats => nats,
): GateHooks['onFrame'] {
  const { onFrame } = run;
  if (!onFrame) return undefined;
  let next = Number.NEGATIVE_INFINITY;
  let shownSteps = 0;
  return ({ step, fit, compression, map }: GateFrame): void => {
    const now = performance.now();
    if (step < steps && now < next) return;
    for (let p = from; p < to; p++) {
      const i = p - from;
      onFrame({ ...{ modality, pair: p, step, steps }, fit: fit[i], compression: compression[i], tokens: shown(map(i).tokens, p) });
    }
    // Counted from the frame's end: however long frames take, the optimisation gets on.
    const end = performance.now();
    next = end + Math.max(APART * (end - now), ++shownSteps < FIRST ? 0 : RARELY);
  };
}

/** A method's frame put where the result would have it. */
export function placedFrame(encoded: EncodedPairs, frame: MethodFrame, seedIndex: number): AttributeFrame {
  const { modality, pair } = frame;
  if (modality === 'image') {
    const { grid, views, hidden } = encoded.image;
    return { ...frame, seedIndex, image: { prefixTokens: hidden.shape[1] - grid[0] * grid[1], grid, view: views[pair] } };
  }
  const own = encoded.text.batch.rows[pair].tokens;
  const tokens = frame.tokens.slice(0, own.length);
  return { ...frame, seedIndex, tokens, words: mergeWords(encoded.pairs[pair].text, own, tokens) };
}
