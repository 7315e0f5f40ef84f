/** @file What a judging came to: `judge.json`, and what is printed. */
import type { EndpointCost } from '../../generation/endpoint/client.ts';
import { version as VERSION } from '../../system/version.ts';
import { type Agreement, agreementOf, type TwoMarks } from './agreement.ts';
import type { JudgeItems } from './files.ts';
import { type JudgeNoise, judgeNoise } from './noise.ts';
import { type OfficialSummary, officialSummary } from './official.ts';
import type { RelativeDifference } from './relative.ts';
import { marksOf, officialTuple, type Review } from './review.ts';
import { compareMarks, type JudgeScore, type QuestionMarks, questionMarks, scoreMarks } from './score.ts';

/** What a judging was. */
export interface JudgeFacts {
  /** Names of models. */
  readonly judge: string;
  readonly model: string;
  readonly rules: string;
  /** Temperature, seed, length, orders, repeats; none where reviews were read. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The set and the scenario of a run of `narrows evaluate`. */
  readonly benchmark?: string;
  readonly scenario?: string;
}

/** A judging with its figures. */
export interface JudgeResults extends JudgeFacts {
  readonly schemaVersion: 1;
  readonly narrows: string;
  readonly score: JudgeScore;
  /** Questions that have marks, and those of which no review could be read. */
  readonly questions: number;
  readonly lost: readonly string[];
  readonly reviews: number;
  /** Reviews that do not count, by reason; `unreadable` ones have words but no two marks. */
  readonly failures: Readonly<Record<string, number>>;
  /** LLaVA's own table, of the reviews that show the reference first, first asking only. */
  readonly official?: Readonly<Record<string, OfficialSummary>>;
  readonly noise: JudgeNoise;
  /** How far the judge agrees with the set's own scorer, which knows the truth, on the model's answers. */
  readonly agreement?: Agreement & { readonly scorer: string };
  /** Against another model's reviews: this one's score less that one's. */
  readonly against?: RelativeDifference & { readonly model: string };
  readonly cost?: EndpointCost;
  readonly warnings: readonly string[];
}

/** What figures are made of. */
export interface JudgeInput extends JudgeFacts {
  readonly reviews: readonly Review[];
  /** Picture of a question, and characters of its answer less those of its reference, by `idKey`. */
  readonly clusterOf: (key: string) => string | undefined;
  readonly lengthOf?: (key: string) => number | undefined;
  readonly against?: { readonly model: string; readonly reviews: readonly Review[] };
  readonly byRule?: JudgeItems['byRule'];
  readonly cost?: EndpointCost;
  readonly warnings: readonly string[];
}

function failuresOf(reviews: readonly Review[]): Record<string, number> {
  const failures: Record<string, number> = {};
  for (const review of reviews) {
    if (marksOf(review)) continue;
    const reason = review.failure ?? 'unreadable';
    failures[reason] = (failures[reason] ?? 0) + 1;
  }
  return failures;
}

const twoMarks = (marks: readonly QuestionMarks[], byRule: ReadonlyMap<string, number>): TwoMarks[] =>
  marks.flatMap(({ key, model, cluster }) => (byRule.has(key) ? [{ a: byRule.get(key)!, b: model, cluster }] : []));

/** All figures of a judging. */
export function judgeResults(input: JudgeInput): JudgeResults {
  const { reviews, clusterOf, lengthOf, against, byRule, cost, warnings, ...facts } = input;
  const { marks, lost } = questionMarks(reviews, clusterOf);
  const first = reviews.filter(({ order, repeat }) => order === 'reference first' && repeat === 0);
  const failures = failuresOf(reviews);
  const failed = Object.values(failures).reduce((a, b) => a + b, 0);
  return {
    ...{ schemaVersion: 1, narrows: VERSION, ...facts },
    ...{ score: scoreMarks(marks), questions: marks.length, lost, reviews: reviews.length, failures },
    ...(first.length
      ? { official: officialSummary(first.map(review => ({ category: review.category, tuple: officialTuple(review) }))) }
      : {}),
    noise: judgeNoise(reviews, { lengths: lengthOf }),
    ...(against ? { against: { model: against.model, ...compareMarks(marks, questionMarks(against.reviews, clusterOf).marks) } } : {}),
    ...(byRule ? { agreement: { scorer: byRule.scorer, ...agreementOf(twoMarks(marks, byRule.marks)) } } : {}),
    ...(cost ? { cost } : {}),
    warnings: [
      ...warnings,
      ...(failed
        ? [
            `${failed} of ${reviews.length} reviews ${failed === 1 ? 'has' : 'have'} no two marks from 0 to 10 and ${failed === 1 ? 'does' : 'do'} not count.`,
          ]
        : []),
      ...(lost.length
        ? [
            `${lost.length} ${lost.length === 1 ? 'question has no readable review and does' : 'questions have no readable review and do'} not count: ${lost.slice(0, 5).join(', ')}${lost.length > 5 ? ', …' : ''}.`,
          ]
        : []),
    ],
  };
}
