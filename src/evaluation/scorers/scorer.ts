/** @file What a scorer is: how an answer is read, when it is right, and which figures come out. One file each; several per benchmark. */
import type { Question } from '../benchmarks/question.ts';

/** What a scorer makes of one answer. */
export interface Reading {
  /** The value that was read, such as `yes` or `B`; null where none could be read. */
  readonly value: string | null;
  /** 1 right, 0 wrong, between them partly right or expected luck; NaN where it does not count (a question without a right answer). */
  readonly correct: number;
  /** The official program would have guessed at random here. */
  readonly guessed?: boolean;
  /** Further figures of this answer (invented names, marks), for `summarise` and tables. */
  readonly parts?: Readonly<Record<string, number>>;
}

/** An answer with all that was made of it. */
export interface ScoredAnswer extends Reading {
  readonly question: Question;
  /** As the model gave it. */
  readonly raw: string;
  /** Without `<think>…</think>` and white space around it: what is read. */
  readonly stripped: string;
}

/** Figures by name. */
export type Figures = Readonly<Record<string, number>>;

/** What a scorer says of a set of answers. */
export interface Summary {
  readonly metrics: Figures;
  readonly byCategory?: Readonly<Record<string, Figures>>;
  readonly bySplit?: Readonly<Record<string, Figures>>;
}

/** A scorer. */
export interface Scorer {
  /** `family@variant`: `pope@official`, `pope@lmms-eval`, `choice@strict`. */
  readonly name: string;
  /** How it reads answers and counts, in a sentence; traps of the official program are named. */
  readonly summary: string;
  /** Program and commit, or paper, that it follows. */
  readonly source: string;
  /** Key of `metrics` that stands for the whole, and its range. */
  readonly primary: string;
  /** What a perfect model gets by `primary`: 1, 100, 2000. */
  readonly best: number;
  /** @param answer the stripped answer */
  read(answer: string, question: Question): Reading;
  /** @param missing questions without an answer: each scorer counts them as its program does, and says so in `summary` */
  summarise(rows: readonly ScoredAnswer[], missing: readonly Question[]): Summary;
}
