/** @file A judge's reviews of one model as marks by question, and their score. Failures are counted and never averaged in. */
import type { QuestionId } from '../../generation/questions.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { type MarkPair, type RelativeDifference, type RelativeScore, relativeDifference, relativeScore } from './relative.ts';
import { type Marks, marksOf, type Review } from './review.ts';

/** A question's id as a key: the text "1" is not the number 1. */
export const idKey = (id: QuestionId): string => (typeof id === 'string' ? JSON.stringify(id) : `${id}`);

/** Marks of one question over all its reviews. */
export interface QuestionMarks extends MarkPair {
  readonly key: string;
  readonly category: string;
  /** Reviews that could be read. */
  readonly reviews: number;
}

/** Marks by question, and what could not be read. */
export interface JudgedMarks {
  readonly marks: readonly QuestionMarks[];
  readonly reviews: number;
  /** Reviews without two readable marks. */
  readonly failures: number;
  /** Questions of which no review could be read: they do not count. */
  readonly lost: readonly string[];
}

/** Category without the prefix that LLaVA's script for the wild set puts before it. */
export const plainCategory = (category: string): string => category.replace(/^llava_bench_(?!wilder)/, '');

/**
 * Means of the marks of each question over orders and repeats.
 * @param clusterOf picture of a question by `idKey`; each question is its own where it is not known
 * @param read how a review is read
 */
export function questionMarks(
  reviews: readonly Review[],
  clusterOf: (key: string) => string | undefined,
  read: (review: Review) => Marks | undefined = marksOf,
): JudgedMarks {
  const byQuestion = new Map<string, Review[]>();
  for (const review of reviews) {
    const key = idKey(review.questionId);
    byQuestion.set(key, [...(byQuestion.get(key) ?? []), review]);
  }
  const marks: QuestionMarks[] = [];
  const lost: string[] = [];
  let failures = 0;
  for (const [key, all] of byQuestion) {
    const readable = all.map(read).filter(one => one !== undefined);
    failures += all.length - readable.length;
    if (readable.length === 0) {
      lost.push(key);
      continue;
    }
    marks.push({
      ...{ key, category: plainCategory(all[0].category), cluster: clusterOf(key) ?? key, reviews: readable.length },
      reference: mean(readable.map(m => m.reference)),
      model: mean(readable.map(m => m.model)),
    });
  }
  return { marks, reviews: reviews.length, failures, lost };
}

/** A score for all questions, and by category. */
export interface JudgeScore extends RelativeScore {
  readonly byCategory: Readonly<Record<string, RelativeScore>>;
}

/** Relative preference of marks. */
export function scoreMarks(marks: readonly QuestionMarks[]): JudgeScore {
  const categories = [...new Set(marks.map(m => m.category))];
  return {
    ...relativeScore(marks),
    byCategory: Object.fromEntries(categories.map(name => [name, relativeScore(marks.filter(m => m.category === name))])),
  };
}

/** How two models differ on the questions that both have marks for. */
export function compareMarks(a: readonly QuestionMarks[], b: readonly QuestionMarks[]): RelativeDifference {
  const other = new Map(b.map(m => [m.key, m]));
  const both = a.filter(m => other.has(m.key));
  return relativeDifference(
    both,
    both.map(m => other.get(m.key)!),
  );
}
