/** @file Where a scorer's figure and the share of right answers move against each other: the two count different things, and a reader must know. */
import { figureText, pointsText } from './view.ts';

/** Least size, in hundredths of the best figure, that makes two ways of counting disagree. */
const NOTEWORTHY = 0.01;

/** Two figures of a scorer, and how the share of right answers changed from the first to the second. */
export interface TwoFigures {
  /** Name of the figure, and what a perfect model gets. */
  readonly primary: string;
  readonly best: number;
  readonly before: number;
  readonly after: number;
  /** Of shares, after minus before. */
  readonly difference: number;
}

/** One sentence; undefined where both move alike, or hardly. @param where begins the sentence */
export function disagreement(where: string, { primary, best, before, after, difference }: TwoFigures): string | undefined {
  const moved = (after - before) / best;
  if (!(Math.min(Math.abs(moved), Math.abs(difference)) >= NOTEWORTHY) || moved * difference >= 0) return undefined;
  const [figure, share] = moved > 0 ? ['up', 'down'] : ['down', 'up'];
  return `${where}: ${primary} goes ${figure} (${figureText(before, best)} to ${figureText(after, best)}), the share of right answers ${share} (${pointsText(difference)} points).`;
}
