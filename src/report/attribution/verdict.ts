/** @file What a result's optimisations came to, in one word for its rows, badges and lines. */
import type { Attribution, Convergence } from '../../attribution/result.ts';
import { textWord } from './figure-options.ts';

/** A verdict of `Convergence`. */
export type Verdict = Convergence['verdict'];

/** The verdicts in words, the one that weighs most first: of a result's maps that one counts. */
export const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  'not-converged': 'not converged',
  unsettled: 'nats not settled',
  converged: 'converged',
  'no-optimisation': 'no optimisation',
};

/** The verdict of a result: its worst map's. */
export function verdictOf(result: Attribution): Verdict {
  const found = [result.image, result.text].map(part => part?.convergence.verdict);
  return (Object.keys(VERDICT_TEXT) as Verdict[]).find(verdict => found.includes(verdict)) ?? 'no-optimisation';
}

/** What stands behind a number of nats or bits that the optimisation did not settle. */
export const settledNote = (part: { readonly convergence: Convergence }): string =>
  part.convergence.verdict === 'unsettled' ? ' (not settled)' : '';

/** Why numbers of a result are not to be trusted, a sentence for each map; one where both say the same. */
export function doubtfulNotes(result: Attribution): string[] {
  const notes = (['image', 'text'] as const).flatMap(part => {
    const found = result[part]?.convergence;
    if (found?.verdict !== 'not-converged' && found?.verdict !== 'unsettled') return [];
    return [{ what: part === 'image' ? 'Image map' : `${textWord(result) === 'question' ? 'Question' : 'Caption'} map`, note: found.note }];
  });
  // The one gate of an answer stands on picture and question.
  if (notes.length === 2 && notes[0].note === notes[1].note) return [notes[0].note];
  return notes.map(({ what, note }) => `${what}: ${note}`);
}
