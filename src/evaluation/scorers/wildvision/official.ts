/** @file `wildvision@official`: WildVision-Bench's board from the verdicts of a judge; what is scored are judgements, not answers. */
import { OUTCOMES, type Outcome, outcomeOf, parseVerdict } from '../parse/verdict.ts';
import type { Figures, ScoredAnswer, Scorer } from '../scorer.ts';
import { byGroup, categoryOf, type Group, ratio } from '../summaries/groups.ts';

/** How many verdicts of each kind, best first, and how many that are unclear. */
export type OutcomeCounts = Readonly<Record<Outcome | 'unclear', number>>;

/** What a double verdict weighs in the score. */
const DOUBLE = 3;
const REWARD: Readonly<Record<Outcome, number>> = { 'much better': 100, better: 50, tie: 0, worse: -50, 'much worse': -100 };

/**
 * The score in percent: the official one is a logistic regression of a single pair of models, whose solution is the share of wins, double verdicts
 * three times and ties half. Unclear verdicts are no battles.
 */
export function wildvisionScore(counts: OutcomeCounts): number {
  const wins = DOUBLE * counts['much better'] + counts.better;
  const losses = DOUBLE * counts['much worse'] + counts.worse;
  return 100 * ratio(wins + counts.tie / 2, wins + losses + counts.tie);
}

/** The board's line: score, Elo against the baseline's 1000, win rates, reward. An unclear verdict counts as a tie in all but score and Elo. */
export function wildvisionBoard(counts: OutcomeCounts): Figures {
  const n = OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], counts.unclear);
  const wins = counts['much better'] + counts.better;
  const score = wildvisionScore(counts);
  return {
    score,
    elo: 1000 + 400 * Math.log10(score / (100 - score)),
    win_rate: ratio(wins, n),
    win_or_tie_rate: ratio(wins + counts.tie + counts.unclear, n),
    reward: ratio(
      OUTCOMES.reduce((sum, outcome) => sum + counts[outcome] * REWARD[outcome], 0),
      n,
    ),
    ...Object.fromEntries(OUTCOMES.map(outcome => [outcome.replace(' ', '_'), counts[outcome]])),
    unclear: counts.unclear,
  };
}

const KINDS = [...OUTCOMES, 'unclear'] as const;

const countsOf = (sums: ArrayLike<number>): OutcomeCounts =>
  Object.fromEntries(KINDS.map((kind, i) => [kind, sums[i]])) as Record<Outcome | 'unclear', number>;

function sumsOf(rows: readonly ScoredAnswer[]): number[] {
  const sums = KINDS.map(() => 0);
  for (const { value } of rows) sums[KINDS.indexOf(outcomeOf(value) ?? 'unclear')]++;
  return sums;
}

const figures = ({ rows }: Group): Figures => wildvisionBoard(countsOf(sumsOf(rows)));

/** WildVision-Bench's scorer; the baseline is assistant A, the model B. */
export const wildvisionOfficial: Scorer = {
  name: 'wildvision@official',
  summary:
    "Reads a judge's verdict between double brackets, [[B>>A]] for much better than the baseline; two different verdicts, or none of the five, are unclear: no battle for the score, but a tie in the win rates. A question without a judgement is left out.",
  source: 'WildVision-AI/WildVision-Bench get_judgement.py and show_results.py at 79dacc0',
  kinds: ['open'],
  primary: 'score',
  best: 100,
  missing: 'left out',
  unlabelled: true,
  read(answer) {
    // Files of verdicts hold them without brackets.
    const value = outcomeOf(answer.trim()) ? answer.trim() : parseVerdict(answer).verdict;
    const outcome = outcomeOf(value);
    return { value, correct: Number.NaN, ...(outcome ? { parts: { reward: REWARD[outcome] } } : {}) };
  },
  summarise: (rows, missing) => ({
    metrics: figures({ rows: [...rows], missing: [...missing] }),
    byCategory: byGroup(rows, missing, categoryOf, figures),
  }),
  tally: () => ({ width: KINDS.length, sums: rows => sumsOf(rows), figure: sums => wildvisionScore(countsOf(sums)) }),
};
