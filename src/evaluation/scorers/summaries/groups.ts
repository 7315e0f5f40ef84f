/** @file Answers and unanswered questions by category, split or whatever a question holds. */
import type { Question } from '../../benchmarks/question.ts';
import type { ScoredAnswer } from '../scorer.ts';

/** Answers and unanswered questions of one group. */
export interface Group {
  readonly rows: ScoredAnswer[];
  readonly missing: Question[];
}

/** Groups in the order in which they first appear; questions without a key are in none. */
export function grouped(
  rows: readonly ScoredAnswer[],
  missing: readonly Question[],
  keyOf: (question: Question) => string | undefined,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  const groupOf = (question: Question): Group | undefined => {
    const key = keyOf(question);
    if (key === undefined) return undefined;
    const group = groups.get(key) ?? { rows: [], missing: [] };
    groups.set(key, group);
    return group;
  };
  for (const row of rows) groupOf(row.question)?.rows.push(row);
  for (const question of missing) groupOf(question)?.missing.push(question);
  return groups;
}

/** A figure set of every group. */
export function byGroup<T>(
  rows: readonly ScoredAnswer[],
  missing: readonly Question[],
  keyOf: (question: Question) => string | undefined,
  figures: (group: Group) => T,
): Record<string, T> {
  return Object.fromEntries([...grouped(rows, missing, keyOf)].map(([key, group]) => [key, figures(group)]));
}

/** Distinct values in the order in which they first appear. */
export const distinct = (questions: readonly Question[], keyOf: (question: Question) => string | undefined): string[] => [
  ...new Set(questions.flatMap(question => keyOf(question) ?? [])),
];

/** The question's category. */
export const categoryOf = (question: Question): string | undefined => question.category;

/** The question's split. */
export const splitOf = (question: Question): string | undefined => question.split;

/** a / b, NaN where b is 0. */
export const ratio = (a: number, b: number): number => (b === 0 ? Number.NaN : a / b);

/** Mean of numbers, NaN of none. */
export const meanOf = (values: readonly number[]): number =>
  ratio(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
