/** @file What the training loss is a mean over: all supervised tokens, or all answers, so that a long one weighs no more than a short one. */
import { IGNORED, supervisedCount } from '../../inputs/chat/encode-chat.ts';

/** `token`: mean over the supervised tokens of an update; `turn`: mean over its answers, of each one's mean over its tokens. */
export type LossAverage = 'token' | 'turn';

/**
 * Weights of labels for a mean over answers: 1 / (tokens of the answer), 0 where nothing is supervised. An answer is a run of supervised
 * labels; a row's first label does not count, since nothing stands before it.
 */
export function turnWeights(labels: readonly number[]): number[] {
  const out = labels.map(() => 0);
  for (let from = 1; from < labels.length; from++) {
    if (labels[from] === IGNORED) continue;
    let to = from;
    while (to < labels.length && labels[to] !== IGNORED) to++;
    out.fill(1 / (to - from), from, to);
    from = to;
  }
  return out;
}

/** What the summed loss of rows is divided by for their mean: their supervised tokens, or their answers. */
export function lossCount(rows: readonly { readonly labels: readonly number[] }[], average: LossAverage = 'token'): number {
  if (average === 'token') return rows.reduce((sum, row) => sum + supervisedCount(row), 0);
  return Math.round(rows.reduce((sum, { labels }) => sum + turnWeights(labels).reduce((a, b) => a + b, 0), 0));
}
