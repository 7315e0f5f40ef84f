/** @file What a scorer is: how an answer is read, when it is right, and which figures come out. One file each; several per benchmark. */
import type { AnswerKind, Question } from '../benchmarks/question.ts';

/** What a scorer makes of one answer. */
export interface Reading {
  /** The value that was read, such as `yes` or `B`; null where none could be read. */
  readonly value: string | null;
  /** 1 right, 0 wrong, between them partly right; NaN where it does not count. */
  readonly correct: number;
  /** The official program would have guessed at random here. */
  readonly guessed?: boolean;
  /** Further figures of this answer (invented names, marks, luck), for `summarise` and tables. */
  readonly parts?: Readonly<Record<string, number>>;
}

/** An answer with all that was made of it. */
export interface ScoredAnswer extends Reading {
  readonly question: Question;
  /** As the model gave it. */
  readonly raw: string;
  /** What is read: without `<think>…</think>`; where there is none, as the model gave it, since white space matters to official programs. */
  readonly stripped: string;
}

/** Figures by name; NaN where one is not defined (nothing to divide by). */
export type Figures = Readonly<Record<string, number>>;

/** What a scorer says of a set of answers. */
export interface Summary {
  readonly metrics: Figures;
  readonly byCategory?: Readonly<Record<string, Figures>>;
  readonly bySplit?: Readonly<Record<string, Figures>>;
  /** What is to be said of the figures, in sentences. */
  readonly warnings?: readonly string[];
}

/** The primary figure as a function of sums over clusters, so that an interval resamples clusters without summing answers up again. */
export interface Tally {
  /** How many sums there are. */
  readonly width: number;
  /** Sums of one cluster of questions: add over clusters. @param missing empty where the scorer leaves unanswered questions out */
  sums(rows: readonly ScoredAnswer[], missing: readonly Question[]): ArrayLike<number>;
  /** The primary figure of summed sums; NaN where it is not defined. */
  figure(sums: ArrayLike<number>): number;
}

/** A scorer. */
export interface Scorer {
  /** `family@variant`: `pope@official`, `pope@lmms-eval`, `choice@strict`. */
  readonly name: string;
  /** How it reads answers and counts, in a sentence or two; traps of the official program are named. */
  readonly summary: string;
  /** Program and commit, or paper, that it follows. */
  readonly source: string;
  /** Kinds of questions that it can score. */
  readonly kinds: readonly AnswerKind[];
  /** Key of `metrics` that stands for the whole, and its range. */
  readonly primary: string;
  /** What a perfect model gets by `primary`: 1, 100, 2800. */
  readonly best: number;
  /** What becomes of a question without an answer. */
  readonly missing: 'wrong' | 'left out';
  /** Questions without a right answer count, too: it is no comparison with one. */
  readonly unlabelled?: boolean;
  /** @param answer the stripped answer */
  read(answer: string, question: Question): Reading;
  /** @param missing questions without an answer; empty where these are left out */
  summarise(rows: readonly ScoredAnswer[], missing: readonly Question[]): Summary;
  /** @param questions all questions that count: they say which splits and categories there are */
  tally(questions: readonly Question[]): Tally;
}
