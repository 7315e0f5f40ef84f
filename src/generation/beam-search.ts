/**
 * @file Beam search, step by step as transformers' `generate` does it (`_beam_search`): the best K open beams go on, the best K finished
 * ones are kept, and a heuristic says when no open one can come in any more.
 */
import { NarrowsError } from '../system/errors.ts';

/** How beams are searched; names as in GenerationConfig of transformers. */
export interface BeamOptions {
  /** Beams at once; 1 (the default) is no beam search. */
  readonly numBeams?: number;
  /** Scores of finished beams are divided by (new tokens) to this power; above 0 favours long answers. Default 1. */
  readonly lengthPenalty?: number;
  /**
   * `true` ends with the K-th finished beam; `false` (the default) where the best open one cannot win at its present length; `'never'` where
   * it cannot win at any.
   */
  readonly earlyStopping?: boolean | 'never';
}

/** Beams cost rows of a batch. */
const MOST_BEAMS = 256;

/** @throws NarrowsError (usage) naming the option and its bounds */
export function checkBeams({ numBeams = 1, lengthPenalty = 1 }: BeamOptions): void {
  if (!Number.isInteger(numBeams) || numBeams < 1 || numBeams > MOST_BEAMS)
    throw new NarrowsError(`The number of beams must be a whole number from 1 to ${MOST_BEAMS}, not ${numBeams}.`, { kind: 'usage' });
  if (!Number.isFinite(lengthPenalty) || Math.abs(lengthPenalty) > 100)
    throw new NarrowsError(`The length penalty must lie between -100 and 100, not ${lengthPenalty}.`, { kind: 'usage' });
}

/** Far below any score; transformers' own number, which its comparisons count on. */
const NOWHERE = -1e9;

/** An open beam. */
export interface Beam {
  /** New tokens. */
  readonly ids: readonly number[];
  /** Sum of log-probabilities. */
  readonly score: number;
  /** Which of the beams of the step before it goes on from. */
  readonly from: number;
}

interface Candidate<F> extends Beam {
  readonly finish?: F;
}
interface Finished<F> {
  readonly ids: readonly number[];
  readonly score: number;
  /** Undefined where the place is not taken. */
  readonly finish?: F;
}

/** Scores to log-probabilities, in place. @throws NarrowsError where no score is a number */
export function logSoftmax(scores: Float32Array): Float32Array {
  let top = Number.NEGATIVE_INFINITY;
  for (const score of scores) if (score > top) top = score;
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - top);
  const shift = top + Math.log(sum);
  if (Number.isNaN(shift))
    throw new NarrowsError('The model gave no number for any next token (NaN); its weights are damaged, or overflow in their 16-bit type.');
  for (let i = 0; i < scores.length; i++) scores[i] -= shift;
  return scores;
}

/** The first `count` of a list by a value, the largest first; of equals the first. */
const best = <T>(items: readonly T[], count: number, value: (item: T) => number): T[] =>
  [...items.keys()]
    .sort((a, b) => value(items[b]) - value(items[a]) || a - b)
    .slice(0, count)
    .map(i => items[i]);

/** The search of one prompt. @typeParam F what says why a beam ended */
export class BeamSearch<F> {
  /** Beams that go on; the first step's rows are all the prompt, of which one counts. */
  beams: readonly Beam[];
  private finished: Finished<F>[];
  private open = true;
  private readonly penalty: number;
  private readonly early: boolean | 'never';

  /**
   * @param most new tokens at most @param ends how many end tokens there are: so many more candidates are looked at
   * @param finishOf why a beam ends, if it does
   */
  constructor(
    private readonly size: number,
    { lengthPenalty = 1, earlyStopping = false }: BeamOptions,
    private readonly most: number,
    private readonly ends: number,
    private readonly finishOf: (ids: readonly number[]) => F | undefined,
  ) {
    [this.penalty, this.early] = [lengthPenalty, earlyStopping];
    this.beams = Array.from({ length: size }, (_, i) => ({ ids: [], score: i ? NOWHERE : 0, from: i }));
    this.finished = this.beams.map(() => ({ ids: [], score: NOWHERE }));
  }

  /** Whether the search is over. */
  get done(): boolean {
    return !this.open;
  }

  /** The best finished beam. @throws NarrowsError where none has ended */
  get answer(): { readonly ids: readonly number[]; readonly score: number; readonly finish: F } {
    const [{ ids, score, finish }] = this.finished;
    if (finish === undefined) throw new NarrowsError('Beam search found no beam that can end; ask with fewer beams, or relax the rules.');
    return { ids, score, finish };
  }

  /** One step. @param logProbabilities of each beam's next token, [vocabulary] each, after all processors */
  step(logProbabilities: readonly Float32Array[]): void {
    const candidates = this.candidates(logProbabilities);
    const length = candidates[0].ids.length;
    const closed = (c: Candidate<F>): number => (c.finish === undefined ? 0 : NOWHERE);
    this.beams = best(candidates, this.size, c => c.score + closed(c)).map(c => ({ ...c, score: c.score + closed(c) }));
    const full = this.early === true && this.finished.every(f => f.finish !== undefined);
    const ended = candidates.slice(0, this.size).flatMap((c): Finished<F>[] => {
      if (c.finish === undefined) return [];
      const score = c.score / length ** this.penalty + (full ? NOWHERE : 0);
      return [{ ids: c.ids, score, finish: c.finish }];
    });
    this.finished = best([...this.finished, ...ended], this.size, f => f.score);
    const longest = this.early === 'never' && this.penalty > 0 ? this.most : length;
    const possible = this.beams[0].score / longest ** this.penalty;
    const worst = Math.min(...this.finished.map(f => f.score));
    const improvable = this.finished.some(f => possible > (f.finish === undefined ? NOWHERE : worst));
    const room = !(this.early === true && this.finished.every(f => f.finish !== undefined));
    this.open = improvable && room && candidates.some(c => c.finish === undefined);
  }

  /** The best continuations of all beams, best first. */
  private candidates(logProbabilities: readonly Float32Array[]): Candidate<F>[] {
    const wanted = Math.max(2, 1 + this.ends) * this.size;
    const kept: { score: number; beam: number; id: number }[] = [];
    for (const [beam, row] of logProbabilities.entries()) {
      const base = this.beams[beam].score;
      for (let id = 0; id < row.length; id++) {
        const score = Math.fround(row[id] + base);
        if (kept.length === wanted && !(score > kept[wanted - 1].score)) continue;
        let at = kept.length;
        while (at > 0 && score > kept[at - 1].score) at--;
        kept.splice(at, 0, { score, beam, id });
        if (kept.length > wanted) kept.pop();
      }
    }
    return kept.map(({ score, beam, id }) => {
      const ids = [...this.beams[beam].ids, id];
      return { ids, score, from: beam, finish: this.finishOf(ids) };
    });
  }
}
