/** @file MMStar's 18 categories of the second level. */
import type { Question } from '../../benchmarks/question.ts';

/** `math(geometry)`, as MMStar prints it; undefined where the question has no second level. */
export function secondLevelOf({ category, facts }: Question): string | undefined {
  const second = facts.l2_category;
  return typeof second === 'string' && second !== '' ? `${category ?? ''}(${second})` : undefined;
}
