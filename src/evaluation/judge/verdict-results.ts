/** @file What verdicts came to: WildVision's score with an error by pictures, its board, the judge's noise. */
import type { EndpointCost } from '../../generation/endpoint/client.ts';
import { version as VERSION } from '../../system/version.ts';
import { OUTCOMES } from '../scorers/parse/verdict.ts';
import type { Figures } from '../scorers/scorer.ts';
import { type OutcomeCounts, wildvisionBoard } from '../scorers/wildvision/official.ts';
import { type JudgeNoise, judgeNoise } from './noise.ts';
import { type RelativeScore, relativeScore } from './relative.ts';
import type { JudgeFacts, JudgeInput } from './results.ts';
import type { Review } from './review.ts';
import { idKey, plainCategory } from './score.ts';
import { battleOf, outcomeOfReview, stepMarks } from './verdict.ts';

/** A judging by verdicts. */
export interface VerdictResults extends JudgeFacts {
  readonly schemaVersion: 1;
  readonly narrows: string;
  readonly form: 'verdict';
  /** `relative` is WildVision's score in percent: 50 where the model is as good as the reference. */
  readonly score: RelativeScore & { readonly byCategory: Readonly<Record<string, RelativeScore>> };
  /** Score, Elo, win rates, reward and counts of all judgements, as the official board has them. */
  readonly board: Figures;
  readonly reviews: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly noise: JudgeNoise;
  readonly cost?: EndpointCost;
  readonly warnings: readonly string[];
}

interface Battle {
  readonly steps: number;
  readonly cluster: string;
  readonly category: string;
}

const scoreOf = (battles: readonly Battle[]): RelativeScore => relativeScore(battles.map(({ steps, cluster }) => battleOf(steps, cluster)));

function countsOf(reviews: readonly Review[]): OutcomeCounts {
  const counts = { ...Object.fromEntries(OUTCOMES.map(outcome => [outcome, 0])), unclear: 0 } as Record<keyof OutcomeCounts, number>;
  // A judgement that never came is no judgement; one without a clear verdict is unclear.
  for (const review of reviews) if (review.failure === undefined) counts[outcomeOfReview(review) ?? 'unclear']++;
  return counts;
}

/** All figures of a judging by verdicts. Unclear ones are no battles; the board's win rates count them as ties, as the official program does. */
export function verdictResults(input: Omit<JudgeInput, 'against'>): VerdictResults {
  const { reviews, clusterOf, lengthOf, byRule: _, cost, warnings, ...facts } = input;
  const failures: Record<string, number> = {};
  const battles: Battle[] = [];
  for (const review of reviews) {
    const marks = stepMarks(review);
    const key = idKey(review.questionId);
    if (marks) battles.push({ steps: marks.model, cluster: clusterOf(key) ?? key, category: plainCategory(review.category) });
    else failures[review.failure ?? 'unclear'] = (failures[review.failure ?? 'unclear'] ?? 0) + 1;
  }
  const categories = [...new Set(battles.map(b => b.category))];
  const failed = reviews.length - battles.length;
  return {
    ...{ schemaVersion: 1, narrows: VERSION, form: 'verdict', ...facts },
    score: {
      ...scoreOf(battles),
      byCategory: Object.fromEntries(categories.map(c => [c, scoreOf(battles.filter(b => b.category === c))])),
    },
    ...{ board: wildvisionBoard(countsOf(reviews)), reviews: reviews.length, failures },
    noise: judgeNoise(reviews, {
      lengths: lengthOf,
      read: stepMarks,
      score: marks => relativeScore(marks.map((m, i) => battleOf(m.model, `${i}`))).relative,
    }),
    ...(cost ? { cost } : {}),
    warnings: [...warnings, ...(failed ? [`${failed} of ${reviews.length} judgements have no clear verdict and are no battles.`] : [])],
  };
}
